"""H010: validation persistently better than train, or a loss that is too good to be true."""

from __future__ import annotations

import pytest
from tests.analysis.curves import Points, falling, folded

from tutelage.analysis.checks.h010_leakage import leakage

ABOVE = [(step, value + 0.5) for step, value in falling(60, noise=0.01)]
NOTHING = [(step, 1e-6 if step > 30 else 1.0) for step in range(1, 61)]


@pytest.mark.parametrize(
    ("why", "val", "train", "outcome"),
    [
        ("no twin", falling(60), None, "not_applicable"),
        ("too short", falling(10), falling(10), "skipped"),
        ("train is better", ABOVE, falling(60, noise=0.01), "passed"),
        ("the same but for noise", falling(60, noise=0.1), falling(60, noise=0.1, seed=9), "passed"),
        ("validation is better all along", falling(60, noise=0.01), ABOVE, "issue"),
        ("too good to be true", NOTHING, NOTHING, "issue"),
    ],
)
def test_it_is_raised_as_defined(why: str, val: Points, train: Points | None, outcome: str) -> None:
    found = leakage(folded(val, train).pair)
    assert found.outcome == outcome, why
    assert found.severity == "info", "a hint, no proof"
