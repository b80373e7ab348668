"""H002: what the newest slope still promises until the end is less than what matters."""

from __future__ import annotations

import pytest
from tests.analysis.curves import Points, falling, folded, levelling, negated, turning

TABLE = [
    ("too short to say", levelling(7), {}, "skipped"),
    ("is done", levelling(80), {}, "issue"),
    ("is done, under noise", levelling(80, noise=0.02), {}, "issue"),
    ("still falls", falling(80), {}, "passed"),
    ("still falls, under noise", falling(80, noise=0.02), {}, "passed"),
    ("rises", turning(80), {}, "passed"),
    ("flat, but the learning rate is to drop", levelling(80), {"settled_after": 90, "budget": 120}, "passed"),
    ("flat since its last drop", levelling(80), {"settled_after": 20}, "issue"),
]


@pytest.mark.parametrize(("why", "val", "facts", "outcome"), TABLE, ids=[row[0] for row in TABLE])
def test_it_is_raised_as_defined(why: str, val: Points, facts: dict[str, float], outcome: str) -> None:
    fold = folded(val, **facts)
    assert fold.plateau.finding(fold.pair).outcome == outcome
    flipped = folded(negated(val) or [], is_maximized=True, **facts)
    assert flipped.plateau.finding(flipped.pair).outcome == outcome, "the same, maximised"


def test_it_asks_what_is_left_to_gain_and_not_how_the_halves_compare() -> None:
    half_way = folded(falling(40), budget=80)
    assert not half_way.plateau.latch.is_on, "its second half is within 5 % of its tail, yet it still falls"


def test_a_run_does_not_end_plateaued_because_nothing_remains() -> None:
    fold = folded(falling(80), budget=80)
    assert not fold.plateau.latch.is_on
