"""H003: train leaves its best level far behind, stays there, and validation rises with it."""

from __future__ import annotations

import pytest
from tests.analysis.curves import Points, exploding, falling, flat, folded, levelling, negated, turning

JUMPS = [*falling(40), *((step, 30.0) for step in range(41, 61))]
SPIKES = [*falling(40), (41, 30.0), (42, 12.0), *((step, value) for step, value in falling(80)[42:])]
TABLE = [
    ("too short to say", exploding(7), exploding(7), "skipped"),
    ("falls to the end", falling(80), falling(80), "passed"),
    ("is done", levelling(80, noise=0.02), levelling(80, noise=0.02), "passed"),
    ("grows beyond all bounds", exploding(80), exploding(80), "issue"),
    ("jumps and stays", JUMPS, JUMPS, "issue"),
    ("spikes and recovers", SPIKES, SPIKES, "passed"),
    ("validation alone turns", turning(80), falling(80), "passed"),
    ("noise alone", flat(80, noise=0.2), flat(80, noise=0.2), "passed"),
    ("jumps, without a training curve", JUMPS, None, "issue"),
    ("turns slowly, without a training curve", turning(80), None, "passed"),
]


@pytest.mark.parametrize(("why", "val", "train", "outcome"), TABLE, ids=[row[0] for row in TABLE])
def test_it_is_raised_as_defined(why: str, val: Points, train: Points | None, outcome: str) -> None:
    fold = folded(val, train)
    assert fold.divergence.finding(fold.pair).outcome == outcome
    flipped = folded(negated(val) or [], negated(train), is_maximized=True)
    assert flipped.divergence.finding(flipped.pair).outcome == outcome, "the same, maximised"


def test_what_diverges_is_not_called_overfitting() -> None:
    fold = folded(exploding(80), exploding(80))
    assert fold.verdict == "diverged"
    assert not fold.overfitting.latch.is_on
