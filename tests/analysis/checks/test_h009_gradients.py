"""H009: vanishing, exploding, or updates out of proportion to the weights."""

from __future__ import annotations

import pytest

from tutelage.analysis.checks.h009_gradients import gradients


def steps(*parts: tuple[int, float]) -> list[tuple[int, float]]:
    values = [value for num, value in parts for _ in range(num)]
    return list(enumerate(values, 1))


@pytest.mark.parametrize(
    ("why", "norm", "ratio", "outcome", "says"),
    [
        ("not declared", [], [], "not_applicable", ""),
        ("too short", steps((5, 1.0)), [], "skipped", ""),
        ("steady", steps((40, 1.0)), [], "passed", ""),
        ("small from the start", steps((40, 0.001)), [], "passed", ""),
        ("vanished", steps((30, 1.0), (10, 0.001)), [], "issue", "vanish"),
        ("exploded", steps((30, 1.0), (10, 11.0)), [], "issue", "explode"),
        ("updates in proportion", [], steps((20, 1e-3)), "passed", ""),
        ("updates too large", [], steps((20, 0.1)), "issue", "lower"),
        ("updates too small", [], steps((20, 1e-6)), "issue", "raise"),
    ],
)
def test_it_is_raised_as_defined(why: str, norm: list, ratio: list, outcome: str, says: str) -> None:
    found = gradients(norm, ratio)
    assert found.outcome == outcome, why
    assert says in found.suggestion
