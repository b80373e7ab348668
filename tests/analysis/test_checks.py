"""The checks as tables, and what must hold of every curve."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.analysis import Declared, View, assess
from tutelage.analysis.checks import non_finite, not_learning, still_improving
from tutelage.analysis.series import best, noise, oriented, trend

NAN, INF = math.nan, math.inf


def falling(num: int, *, noise_of: float = 0.0, seed: int = 0) -> list[tuple[int, float]]:
    draw = random.Random(seed)
    return [(step, 3.0 * math.exp(-step / 40) + draw.gauss(0, noise_of)) for step in range(1, num + 1)]


def flat(num: int, *, noise_of: float, seed: int = 0) -> list[tuple[int, float]]:
    draw = random.Random(seed)
    return [(step, 1.0 + draw.gauss(0, noise_of)) for step in range(1, num + 1)]


def view(curves: dict[str, list[tuple[int, float]]], **changes: object) -> View:
    declared = {"val_loss": Declared(direction="minimize", pairs="train_loss"), "train_loss": Declared()}
    given_view = {"scope": "", "unit": "step", "curves": curves, "declared": declared, "objective": "val_loss"}
    return View(**{**given_view, **changes})


@pytest.mark.parametrize(
    ("why", "curves", "outcome", "since"),
    [
        ("nothing reported", {}, "not_applicable", None),
        ("finite", {"loss": [(1, 1.0), (2, 2.0)]}, "passed", None),
        ("a NaN", {"loss": [(1, 1.0), (2, NAN), (3, 1.0)]}, "issue", 2),
        ("an infinity", {"loss": [(1, -INF)]}, "issue", 1),
        ("the earliest of several", {"a": [(5, NAN)], "b": [(3, INF)]}, "issue", 3),
    ],
)
def test_h004_non_finite(why: str, curves: dict, outcome: str, since: int | None) -> None:
    found = non_finite(curves)
    assert (found.outcome, found.since_step) == (outcome, since), why


@pytest.mark.parametrize(
    ("why", "best_value", "baseline", "maximize", "fraction", "outcome"),
    [
        ("no baseline", 1.0, None, False, 1.0, "not_applicable"),
        ("no value yet", None, 1.0, False, 1.0, "not_applicable"),
        ("better, minimised", 0.5, 1.0, False, 0.1, "passed"),
        ("better, maximised", 0.9, 0.5, True, 0.1, "passed"),
        ("worse, but early", 1.5, 1.0, False, 0.1, "skipped"),
        ("worse, budget unknown", 1.5, 1.0, False, None, "skipped"),
        ("worse after a fifth", 1.5, 1.0, False, 0.2, "issue"),
        ("equal is not better", 0.5, 0.5, True, 0.9, "issue"),
    ],
)
def test_h007_not_learning(
    why: str, best_value: float, baseline: float, maximize: bool, fraction: float, outcome: str
) -> None:
    found = not_learning(best_value=best_value, baseline=baseline, maximize=maximize, spread=0.0, fraction=fraction)
    assert found.outcome == outcome, why


@pytest.mark.parametrize(
    ("why", "curve", "outcome"),
    [
        ("too short", falling(7), "skipped"),
        ("falling without noise", falling(60), "issue"),
        ("falling under noise", falling(60, noise_of=0.02), "issue"),
        ("flat under noise", flat(60, noise_of=0.02), "passed"),
        ("flat without noise", [(step, 1.0) for step in range(60)], "passed"),
        ("rising", [(step, -value) for step, value in falling(60)], "passed"),
        ("fell and rose again", falling(40) + [(step, 1.2 + step / 100) for step in range(41, 61)], "passed"),
        ("converged long ago", [(step, math.exp(-step)) for step in range(200)], "passed"),
    ],
)
def test_h012_still_improving(why: str, curve: list, outcome: str) -> None:
    assert still_improving(curve, maximize=False).outcome == outcome, why
    flipped = [(step, -value) for step, value in curve]
    assert still_improving(flipped, maximize=True).outcome == outcome, f"{why}, maximised"


def test_flat_noise_is_hardly_ever_called_improvement() -> None:
    raised = sum(
        still_improving(flat(60, noise_of=0.05, seed=s), maximize=False).outcome == "issue" for s in range(300)
    )
    assert raised <= 15


@pytest.mark.parametrize(
    ("why", "changes", "verdict", "advice"),
    [
        ("a NaN comes first", {"curves": {"val_loss": [*falling(60), (61, NAN)]}}, "non_finite", "stop"),
        ("a falling curve", {"curves": {"val_loss": falling(60)}}, "improving", "continue"),
        ("three points", {"curves": {"val_loss": falling(3)}}, "insufficient_evidence", "insufficient_evidence"),
        ("no points", {"curves": {}}, "insufficient_evidence", "insufficient_evidence"),
        (
            "no better than nothing",
            {
                "curves": {"val_loss": flat(60, noise_of=0.1)},
                "declared": {"val_loss": Declared(direction="minimize", baseline=0.5, baseline_name="mean")},
                "best": 0.8,
                "best_step": 4,
                "fraction": 0.5,
            },
            "not_learning",
            "stop",
        ),
        (
            "over",
            {"curves": {"val_loss": falling(60)}, "ended": True, "best": 0.7, "best_step": 60},
            "finished",
            "continue",
        ),
        ("a name alone says no direction", {"curves": {"loss": falling(60)}}, "insufficient_evidence", None),
    ],
)
def test_the_verdict(why: str, changes: dict, verdict: str, advice: str | None) -> None:
    found = assess(view(**changes))
    assert found.verdict == verdict, why
    assert advice is None or found.recommendation.do == advice
    assert found.sentence.endswith(".")


@given(
    values=st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=80),
    scale=st.floats(1e-3, 1e3),
    shift=st.floats(-1e3, 1e3),
)
def test_noise_scales_and_ignores_level_and_slope(values: list[float], scale: float, shift: float) -> None:
    curve = list(enumerate(values))
    moved = [(step, value * scale + shift + 0.5 * step) for step, value in curve]
    assert noise(moved) == pytest.approx(noise(curve) * scale, rel=1e-6, abs=1e-6 * (1 + abs(shift) + scale))


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60))
def test_no_curve_breaks_the_judge(values: list[float]) -> None:
    curve = list(enumerate(values))
    found = assess(view({"val_loss": curve}))
    has_odd = any(not math.isfinite(value) for value in values)
    assert (found.verdict == "non_finite") == has_odd


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_the_best_step_lies_in_its_own_set(values: list[float]) -> None:
    found = best(list(enumerate(values)))
    assert found is not None
    assert found.value == min(values)
    assert found.first_step <= found.step <= found.last_step


def test_noise_is_measured_right() -> None:
    assert noise(flat(50, noise_of=0.1, seed=3)) == pytest.approx(0.1, rel=0.35)
    assert noise(falling(50)) < 1e-3
    assert trend(oriented(falling(60), maximize=False)) is not None
