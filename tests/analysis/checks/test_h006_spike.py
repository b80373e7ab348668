"""H006: a value far above those before it, and back again within nine evaluations."""

from __future__ import annotations

import pytest
from tests.analysis.curves import Points, falling, levelling

from tutelage.analysis.checks.h006_spike import spike


def with_spike(at: int, height: float, *, length: int = 1, num: int = 60) -> Points:
    return [(step, value + (height if at <= step < at + length else 0.0)) for step, value in falling(num, noise=0.01)]


@pytest.mark.parametrize(
    ("why", "curve", "outcome", "since"),
    [
        ("no curve", [], "not_applicable", None),
        ("too short", falling(10), "skipped", None),
        ("smooth", falling(60, noise=0.01), "passed", None),
        ("one odd batch", with_spike(30, 3.0), "issue", 30),
        ("less than 10 % of the span", with_spike(30, 0.05), "passed", None),
        ("never recovers", with_spike(30, 3.0, length=31), "passed", None),
        ("is done", levelling(60, noise=0.02), "passed", None),
    ],
)
def test_it_is_raised_as_defined(why: str, curve: Points, outcome: str, since: int | None) -> None:
    found = spike(curve)
    assert (found.outcome, found.since_step) == (outcome, since), why
    assert found.severity == "info"
