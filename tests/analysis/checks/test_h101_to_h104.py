"""H101 to H104, for reinforcement learning: they need their declared signals."""

from __future__ import annotations

import pytest

from tutelage.analysis import Declared, Role, Scope, assess
from tutelage.analysis.checks.h101_entropy import entropy_collapse
from tutelage.analysis.checks.h102_kl import kl_blowup
from tutelage.analysis.checks.h103_explained_variance import explained_variance
from tutelage.analysis.checks.h104_communication import communication


def steps(*parts: tuple[int, float]) -> list[tuple[int, float]]:
    return list(enumerate([value for num, value in parts for _ in range(num)], 1))


@pytest.mark.parametrize(
    ("why", "entropy", "is_improving", "outcome"),
    [
        ("not declared", [], False, "not_applicable"),
        ("too short", steps((9, 1.0)), False, "skipped"),
        ("falls by half", steps((20, 1.0), (20, 0.5)), False, "passed"),
        ("collapsed", steps((20, 1.0), (20, 0.01)), False, "issue"),
        ("collapsed on a policy that improves", steps((20, 1.0), (20, 0.01)), True, "passed"),
    ],
)
def test_h101_entropy_collapse(why: str, entropy: list, is_improving: bool, outcome: str) -> None:
    assert entropy_collapse(entropy, is_improving=is_improving).outcome == outcome, why


@pytest.mark.parametrize(
    ("why", "kl", "outcome"),
    [
        ("not declared", [], "not_applicable"),
        ("too short", steps((9, 0.01)), "skipped"),
        ("steady", steps((40, 0.01)), "passed"),
        ("blows up", steps((30, 0.01), (10, 0.2)), "issue"),
        ("ten times next to nothing", steps((30, 1e-4), (10, 2e-3)), "passed"),
    ],
)
def test_h102_kl_blowup(why: str, kl: list, outcome: str) -> None:
    assert kl_blowup(kl).outcome == outcome, why


@pytest.mark.parametrize(
    ("why", "curve", "outcome"),
    [
        ("not declared", [], "not_applicable"),
        ("too short", steps((9, 0.5)), "skipped"),
        ("explains half", steps((40, 0.5)), "passed"),
        ("worse than a constant", steps((30, 0.5), (10, -0.3)), "issue"),
    ],
)
def test_h103_explained_variance(why: str, curve: list, outcome: str) -> None:
    assert explained_variance(curve).outcome == outcome, why


@pytest.mark.parametrize(
    ("why", "influence", "best", "bound", "outcome"),
    [
        ("not declared", [], -1.0, -1.0, "not_applicable"),
        ("too short", steps((9, 0.0)), -1.0, -1.0, "skipped"),
        ("silent, and no better than silent agents", steps((40, 0.01)), -1.0, -1.0, "issue"),
        ("silent, yet better", steps((40, 0.01)), -2.0, -1.0, "passed"),
        ("heard", steps((40, 0.3)), -1.0, -1.0, "passed"),
    ],
)
def test_h104_communication(why: str, influence: list, best: float, bound: float, outcome: str) -> None:
    assert communication(influence, best=best, no_channel_bound=bound, error=0.1).outcome == outcome, why


def test_they_are_found_by_their_declared_roles() -> None:
    declared = {"return": Declared(direction="maximize"), "policy_kl": Declared(role=Role.KL)}
    curves = {"return": steps((40, 1.0)), "policy_kl": steps((30, 0.01), (10, 0.2))}
    found = {item.code: item.outcome for item in assess(Scope(declared=declared), curves).findings}
    assert found["H102"] == "issue"
    assert {found[code] for code in ("H101", "H103", "H104")} == {"not_applicable"}
