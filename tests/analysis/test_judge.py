"""What must hold of every curve: the same points give the same verdict, however they came."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.curves import NAN, Points, exploding, falling, flat, folded, levelling, negated, turning

from tutelage.analysis import Declared, Judge, Scope, Standing, assess, assessment
from tutelage.analysis.rules import MAX_EVALUATIONS
from tutelage.core.wire import Assessment

DECLARED = {"val_loss": Declared(direction="minimize", pairs="train_loss"), "train_loss": Declared()}
SCOPE = Scope(declared=DECLARED, objective="val_loss", budget=100)
SHAPES = {"falling": falling, "levelling": levelling, "turning": turning, "exploding": exploding, "flat": flat}
values = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=80)


def curves_of(name: str, num: int = 100, *, noise: float = 0.02, seed: int = 1) -> dict[str, Points]:
    train = exploding if name == "exploding" else flat if name == "flat" else falling
    return {"val_loss": SHAPES[name](num, noise=noise, seed=seed), "train_loss": train(num, noise=noise, seed=seed + 1)}


def judged_in_parts(curves: dict[str, Points], cuts: list[int]) -> Assessment:
    """Feed a judge step by step as a store does: fresh points each time, all points anew where they came too late."""
    judge, done = Judge(SCOPE), 0
    for cut in [*cuts, 10**9]:
        fresh = {name: [point for point in points if done < point[0] <= cut] for name, points in curves.items()}
        assert judge.extend(fresh)
        done = cut
    return assessment(judge, Standing())


@pytest.mark.parametrize("name", SHAPES)
def test_the_verdict_is_that_of_the_shape(name: str) -> None:
    right = {
        "falling": "improving",
        "levelling": "plateaued",
        "turning": "overfitting",
        "exploding": "diverged",
        "flat": "not_learning",
    }
    found = assess(SCOPE, curves_of(name))
    assert found.verdict == right[name]
    assert found.sentence.endswith(".")


@pytest.mark.parametrize("name", SHAPES)
def test_points_in_parts_give_what_all_at_once_gives(name: str) -> None:
    curves = curves_of(name)
    assert judged_in_parts(curves, [3, 4, 30, 31, 77]) == assess(SCOPE, curves)


@pytest.mark.parametrize("name", SHAPES)
def test_the_order_of_arrival_changes_nothing(name: str) -> None:
    curves, draw = curves_of(name), random.Random(3)
    mixed = {key: draw.sample(points, len(points)) for key, points in curves.items()}
    assert assess(SCOPE, mixed) == assess(SCOPE, curves)


def test_points_that_come_too_late_are_refused_so_that_all_are_folded_anew() -> None:
    curves, judge = curves_of("turning"), Judge(SCOPE)
    assert judge.extend({name: points[10:] for name, points in curves.items()})
    before = assessment(judge, Standing())
    assert not judge.extend({"val_loss": curves["val_loss"][:10]})
    assert not judge.extend({"train_loss": curves["train_loss"][:10]})
    assert assessment(judge, Standing()) == before, "nothing was taken in"


def test_a_twin_that_comes_after_its_evaluation_is_late() -> None:
    judge = Judge(SCOPE)
    assert judge.extend({"val_loss": [(1, 2.0), (2, 1.9)], "train_loss": [(1, 2.0)]})
    assert not judge.extend({"train_loss": [(2, 1.8)]})


def test_train_that_came_before_any_evaluation_is_not_lost() -> None:
    judge = Judge(SCOPE)
    assert judge.extend({"train_loss": falling(5)})
    assert not judge.extend({"val_loss": falling(5)}), "all is to be folded anew, train included"


def test_a_curve_that_counts_more_is_judged_anew() -> None:
    judge = Judge(Scope(declared={**DECLARED, "train_loss": Declared(direction="minimize")}, objective="val_loss"))
    assert judge.extend({"train_loss": falling(20)})
    assert judge.judged == "train_loss"
    assert not judge.extend({"val_loss": falling(20)})


def test_a_long_curve_is_halved_and_still_judged_right() -> None:
    num = 3 * MAX_EVALUATIONS
    fold = folded(turning(num, noise=0.02), falling(num, noise=0.02))
    assert len(fold.pair) < MAX_EVALUATIONS
    assert fold.verdict == "overfitting"
    assert fold.overfitting.finding(fold.pair).since_step == pytest.approx(0.4 * num, rel=0.1)


@given(values, st.sampled_from([0.001, 0.5, 3.0, 1000.0]))
@settings(deadline=None)
def test_scaling_a_curve_changes_no_verdict(given_values: list[float], scale: float) -> None:
    points = [(step, round(value, 3)) for step, value in enumerate(given_values, 1)]
    scaled = [(step, value * scale) for step, value in points]
    assert folded(scaled).verdict == folded(points).verdict


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("shift", [-50.0, 3.0, 500.0])
def test_shifting_a_curve_changes_no_verdict(name: str, shift: float) -> None:
    curves = curves_of(name)
    moved = {key: [(step, value + shift) for step, value in points] for key, points in curves.items()}
    assert assess(SCOPE, moved).verdict == assess(SCOPE, curves).verdict


@given(values)
@settings(deadline=None)
def test_flipping_the_direction_and_the_sign_changes_no_verdict(given_values: list[float]) -> None:
    points = list(enumerate(given_values, 1))
    assert folded(negated(points) or [], is_maximized=True).verdict == folded(points).verdict


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60))
@settings(deadline=None)
def test_no_curve_breaks_the_judge(given_values: list[float]) -> None:
    curves = {"val_loss": list(enumerate(given_values)), "train_loss": list(enumerate(reversed(given_values)))}
    found = assess(SCOPE, curves)
    has_odd = any(not math.isfinite(value) for value in given_values)
    assert (found.verdict == "non_finite") == has_odd


@pytest.mark.parametrize(
    ("why", "curves", "standing", "verdict", "advice"),
    [
        ("a NaN comes first", {"val_loss": [*turning(60), (61, NAN)]}, {}, "non_finite", "stop"),
        ("three points", {"val_loss": falling(3)}, {}, "insufficient_evidence", "insufficient_evidence"),
        ("no points", {}, {}, "insufficient_evidence", "insufficient_evidence"),
        ("a name alone says no direction", {"loss": falling(60)}, {}, "insufficient_evidence", None),
        ("over", {"val_loss": falling(60)}, {"ended": True, "best": 0.7, "best_step": 60}, "finished", "continue"),
        ("over, and flat at the end", {"val_loss": levelling(60)}, {"ended": True}, "finished", "continue"),
        ("over, and worse than before", {"val_loss": turning(60)}, {"ended": True}, "overfitting", "use_checkpoint"),
        ("silent", {"val_loss": turning(60)}, {"silent_s": 999.0, "interval_s": 1.0}, "stalled", "stop"),
    ],
)
def test_the_order_of_precedence(
    why: str, curves: dict[str, Points], standing: dict[str, float], verdict: str, advice: str | None
) -> None:
    found = assess(Scope(declared=DECLARED, objective="val_loss"), curves, Standing(**standing))
    assert found.verdict == verdict, why
    assert advice is None or found.recommendation.do == advice
    assert found.sentence.endswith(".")


def test_an_ended_run_that_overfits_points_at_its_best_step() -> None:
    found = assess(SCOPE, curves_of("turning"), Standing(ended=True))
    assert found.recommendation.args["step"] == pytest.approx(40, abs=6)


def test_a_stop_says_what_it_saves() -> None:
    found = assess(SCOPE, curves_of("turning"), Standing(remaining_s=120.0))
    assert found.recommendation.saves_s == 120.0
