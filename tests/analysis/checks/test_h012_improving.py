"""H012: the newest slope promises more than what matters, for sure."""

from __future__ import annotations

import math

import pytest
from tests.analysis.curves import Points, falling, flat, folded, negated, turning

TABLE = [
    ("too short", falling(7), "skipped"),
    ("falling without noise", falling(60), "issue"),
    ("falling under noise", falling(60, noise=0.02), "issue"),
    ("flat under noise", flat(60, noise=0.02), "passed"),
    ("flat without noise", flat(60), "passed"),
    ("rising", [(step, -value) for step, value in falling(60)], "passed"),
    ("fell and rose again", turning(60), "passed"),
    ("converged long ago", [(step, math.exp(-step)) for step in range(200)], "passed"),
]


@pytest.mark.parametrize(("why", "val", "outcome"), TABLE, ids=[row[0] for row in TABLE])
def test_it_is_raised_as_defined(why: str, val: Points, outcome: str) -> None:
    fold = folded(val)
    assert fold.improving.finding(fold.pair).outcome == outcome
    flipped = folded(negated(val) or [], is_maximized=True)
    assert flipped.improving.finding(flipped.pair).outcome == outcome, "the same, maximised"


def test_flat_noise_is_hardly_ever_called_improvement() -> None:
    assert sum(folded(flat(60, noise=0.05, seed=seed)).improving.is_on for seed in range(150)) <= 8
