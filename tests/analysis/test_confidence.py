"""Confidence is what was measured: how often such a verdict, standing out by so much, was right."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tests.analysis.curves import falling, flat, folded, levelling, turning

from tutelage.analysis.confidence import HIT_RATES, confidence, interpolated
from tutelage.core.findings import Verdict


def test_a_rate_is_read_between_the_measured_places_and_held_beyond_them() -> None:
    table = ((1.0, 0.5), (3.0, 0.9))
    assert [interpolated(table, at) for at in (0.0, 1.0, 2.0, 3.0, 99.0)] == pytest.approx([0.5, 0.5, 0.7, 0.9, 0.9])


def test_every_measured_rate_is_a_share_that_never_falls_with_clearness() -> None:
    for table in HIT_RATES.values():
        assert all(0 < rate < 1 for _, rate in table)
        assert all(low[0] < high[0] and low[1] <= high[1] for low, high in pairwise(table))


def test_what_stands_out_more_is_surer() -> None:
    little = folded(turning(80, by=0.25, noise=0.04), falling(80, noise=0.04))
    much = folded(turning(80, by=2.0, noise=0.04), falling(80, noise=0.04))
    low, high = (confidence(fold, Verdict.OVERFITTING) for fold in (little, much))
    assert low is not None
    assert high is not None
    assert low < high


def test_without_a_twin_overfitting_is_less_sure() -> None:
    val = turning(80, by=2.0, noise=0.04)
    alone, paired = folded(val), folded(val, falling(80, noise=0.04))
    assert (confidence(alone, Verdict.OVERFITTING) or 1) < (confidence(paired, Verdict.OVERFITTING) or 0)


def test_what_was_not_measured_has_none() -> None:
    assert confidence(folded(flat(80, noise=0.1)), Verdict.NOT_LEARNING) is None
    assert confidence(folded(levelling(80, noise=0.02)), Verdict.PLATEAUED) is not None
