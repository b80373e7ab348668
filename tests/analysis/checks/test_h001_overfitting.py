"""H001: validation worse than its best by more than its error and a share of its span, while train is not worse."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tests.analysis.curves import Points, exploding, falling, flat, folded, levelling, negated, turning

TABLE = [
    ("too short to say", turning(7), falling(7), "skipped"),
    ("falls to the end", falling(80), falling(80), "passed"),
    ("is done", levelling(80, noise=0.01), falling(80, noise=0.01), "passed"),
    ("never learned anything", flat(80, noise=0.05), flat(80, noise=0.05), "passed"),
    ("turns while train falls", turning(80), falling(80), "issue"),
    ("turns under noise", turning(80, noise=0.04), falling(80, noise=0.04), "issue"),
    ("rises less than its noise", turning(80, by=0.05, noise=0.1), falling(80, noise=0.1), "passed"),
    ("rises less than 5 % of its span", turning(80, by=0.03), falling(80), "passed"),
    ("train rises with it", exploding(80), exploding(80), "passed"),
    ("without a training curve", turning(80), None, "issue"),
    ("rose and came back", turning(60) + [(step, 0.9) for step in range(61, 81)], falling(80), "passed"),
]


@pytest.mark.parametrize(("why", "val", "train", "outcome"), TABLE, ids=[row[0] for row in TABLE])
def test_it_is_raised_as_defined(why: str, val: Points, train: Points | None, outcome: str) -> None:
    fold = folded(val, train)
    assert fold.overfitting.finding(fold.pair).outcome == outcome
    flipped = folded(negated(val) or [], negated(train), is_maximized=True)
    assert flipped.overfitting.finding(flipped.pair).outcome == outcome, "the same, maximised"


def test_it_tells_since_when_and_by_how_much() -> None:
    fold = folded(turning(100, at=0.4, by=0.8), falling(100))
    found = fold.overfitting.finding(fold.pair)
    assert found.since_step == pytest.approx(40, abs=3)
    assert found.evidence["rise"] == pytest.approx(0.8, rel=0.1)
    assert found.evidence["rise"] > found.evidence["threshold"]
    assert found.evidence["train_change"] < 0


def test_a_steep_beginning_does_not_hide_a_later_rise() -> None:
    val = [(1, 10.8), (2, 6.0), *((step, 3.3 + 0.3 / step) for step in range(3, 60))]
    val += [(step, 3.3 + 0.02 * (step - 60)) for step in range(60, 81)]
    fold = folded(val, falling(80))
    assert fold.overfitting.latch.is_on


def test_it_is_raised_after_two_evaluations_and_taken_back_after_three() -> None:
    falls = [(step, 3.0 - step / 20) for step in range(1, 41)]
    up = [(step, 1.0 + (step - 40) * 0.2) for step in range(41, 52)]
    down = [(step, 0.9) for step in range(52, 61)]
    states = []
    for num in range(41, 61):
        val = [*falls, *up, *down][:num]
        fold = folded(val, [(step, -float(step)) for step, _ in val], budget=60)
        states.append(fold.overfitting.latch.is_on)
    assert not states[0]
    assert any(states)
    assert not states[-1]
    assert sum(a != b for a, b in pairwise(states)) == 2, "it does not flap"


def test_healthy_noise_hardly_ever_raises_it() -> None:
    raised = sum(
        folded(falling(80, noise=0.1, seed=seed), falling(80, noise=0.1, seed=seed + 500)).overfitting.latch.is_on
        for seed in range(100)
    )
    assert raised <= 2
