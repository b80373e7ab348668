"""H007: after a fifth of the budget nothing is better than the trivial baseline, or than the beginning."""

from __future__ import annotations

import pytest
from tests.analysis.curves import Points, falling, flat, folded, negated

from tutelage.analysis.checks.h007_not_learning import beats_baseline

TABLE = [
    ("too short to say", flat(7), None, 100, "skipped"),
    ("flat, but early", flat(15, noise=0.02), None, 100, "skipped"),
    ("flat after a fifth", flat(40, noise=0.02), None, 100, "issue"),
    ("flat without noise", flat(40), None, 100, "issue"),
    ("learns", falling(40, noise=0.02), None, 100, "passed"),
    ("learns, but never reaches the baseline; its train curve is not known", falling(40), 0.1, 40, "issue"),
    ("beats the baseline from the start", flat(40, noise=0.02), 2.0, 40, "passed"),
]


@pytest.mark.parametrize(("why", "val", "baseline", "budget", "outcome"), TABLE, ids=[row[0] for row in TABLE])
def test_a_curve_is_judged_as_defined(why: str, val: Points, baseline: float | None, budget: int, outcome: str) -> None:
    fold = folded(val, baseline=baseline, budget=budget)
    assert fold.not_learning.finding(fold.pair).outcome == outcome
    base = None if baseline is None else -baseline
    flipped = folded(negated(val) or [], is_maximized=True, baseline=base, budget=budget)
    assert flipped.not_learning.finding(flipped.pair).outcome == outcome, "the same, maximised"


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
def test_a_single_best_value_is_judged_as_defined(
    why: str, best_value: float, baseline: float, maximize: bool, fraction: float, outcome: str
) -> None:
    found = beats_baseline(best_value=best_value, baseline=baseline, maximize=maximize, spread=0.0, fraction=fraction)
    assert found.outcome == outcome, why
