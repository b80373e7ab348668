"""H011: a step takes more than twice its median time."""

from __future__ import annotations

import pytest

from tutelage.analysis.checks.h011_throughput import throughput

STEADY = [(step, 1.0) for step in range(1, 41)]
SLOWER = [(step, 1.0 if step < 30 else 2.5) for step in range(1, 41)]


@pytest.mark.parametrize(
    ("why", "step_time", "rate", "outcome"),
    [
        ("not declared", [], [], "not_applicable"),
        ("too short", STEADY[:9], [], "skipped"),
        ("steady", STEADY, [], "passed"),
        ("steps take 2.5 times as long", SLOWER, [], "issue"),
        ("a rate that rises is no drop", [], SLOWER, "passed"),
        ("a rate that falls is", [], [(step, 1 / value) for step, value in SLOWER], "issue"),
    ],
)
def test_it_is_raised_as_defined(why: str, step_time: list, rate: list, outcome: str) -> None:
    assert throughput(step_time, rate).outcome == outcome, why
