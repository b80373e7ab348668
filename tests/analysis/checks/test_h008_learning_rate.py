"""H008: too high where the loss swings ever more or falls at once after a decay; too low where it creeps."""

from __future__ import annotations

import pytest
from tests.analysis.curves import Points, curve, falling, levelling

from tutelage.analysis.checks.h008_learning_rate import learning_rate

CONSTANT = [(step, 0.01) for step in range(1, 61)]
DECAYED = [(step, 0.01 if step < 40 else 0.001) for step in range(1, 61)]
SWINGING = [(step, 1.0 + (0.01 if step < 30 else 0.3) * (-1) ** step) for step in range(1, 61)]
DROPPED = [(step, (2.0 if step < 40 else 1.0) + 0.01 * (-1) ** step) for step in range(1, 61)]
CREEPING = curve(60, lambda share: 2.3 - 0.05 * share)

TABLE = [
    ("no learning rate is declared", [], falling(60), "not_applicable", None),
    ("too short", CONSTANT[:9], falling(9), "skipped", None),
    ("healthy", CONSTANT, falling(60, noise=0.01), "passed", None),
    ("is done", CONSTANT, levelling(60, noise=0.01), "passed", None),
    ("swings ever more", CONSTANT, SWINGING, "issue", 0.01 / 3),
    ("falls at once after a decay", DECAYED, DROPPED, "issue", 0.001 / 3),
    ("creeps", CONSTANT, CREEPING, "issue", 0.03),
]


@pytest.mark.parametrize(("why", "rate", "loss", "outcome", "suggested"), TABLE, ids=[row[0] for row in TABLE])
def test_it_is_raised_as_defined(why: str, rate: Points, loss: Points, outcome: str, suggested: float | None) -> None:
    found = learning_rate("lr", rate, loss)
    assert found.outcome == outcome
    assert found.evidence.get("suggested") == pytest.approx(suggested)
