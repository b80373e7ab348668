"""When a curve reaches a level and stays there: how adaptation is compared with beginning from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """How many steps it took to a level; None: it was not reached within `budget` steps."""

    steps: int | None
    budget: int
    level: float

    @property
    def at_least(self) -> int:
        """The steps it took, or all that were allowed."""
        return self.budget if self.steps is None else self.steps

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"steps": self.steps, "budget": self.budget, "level": round(self.level, 6)}


def level_of(former: float, *, floor: float, threshold: float) -> float:
    """Return the return that counts as regained: `threshold` of the way from `floor` to the former return.

    Returns may be negative, and a share of a negative number is no less than it: the way from what an untrained agent
    earns is what is shared.
    """
    return floor + threshold * (former - floor)


def crossing(steps: Sequence[int], returns: Sequence[float], *, level: float, budget: int, hold: int = 2) -> Crossing:
    """Return when returns first reached a level and kept it for `hold` evaluations in a row (or to the end)."""
    for start, step in enumerate(steps):
        held = returns[start : start + hold]
        if held and all(value >= level for value in held):
            return Crossing(steps=step, budget=budget, level=level)
    return Crossing(steps=None, budget=budget, level=level)
