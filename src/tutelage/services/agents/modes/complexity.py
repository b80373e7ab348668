"""`task_complexity`: difficulty moves so that success stays where there is most to learn."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Complexity = Literal["basic", "intermediate", "advanced"]

LEVELS: dict[Complexity, tuple[float, float]] = {
    "basic": (0.0, 0.34),
    "intermediate": (0.0, 0.67),
    "advanced": (0.0, 1.0),
}
"""The difficulty, 0 to 1, at which each begins, and the one it may reach."""
WINDOW = 100
LOW, HIGH = 0.55, 0.75
STEP = 0.05


@dataclass(kw_only=True)
class Difficulty:
    """The present difficulty: up where more than 75 % of the last 100 episodes succeed, down below 55 %."""

    complexity: Complexity
    value: float = field(init=False)
    recent: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def __post_init__(self) -> None:
        self.value = LEVELS[self.complexity][0]

    @property
    def success_rate(self) -> float | None:
        """Of the window, once it is full."""
        return sum(self.recent) / WINDOW if len(self.recent) == WINDOW else None

    def ended(self, succeeded: Iterable[bool]) -> bool:
        """Take the outcomes of ended episodes; return whether the difficulty has moved, and with it the task."""
        before = self.value
        for outcome in succeeded:
            self.recent.append(bool(outcome))
            rate = self.success_rate
            if rate is not None and not LOW <= rate <= HIGH:
                self._move(STEP if rate > HIGH else -STEP)
        return self.value != before

    def state_dict(self) -> dict[str, Any]:
        """Return what goes on after a resume."""
        return {"value": self.value, "recent": list(self.recent)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self.value = float(state["value"])
        self.recent = deque((bool(outcome) for outcome in state["recent"]), maxlen=WINDOW)

    def _move(self, by: float) -> None:
        lowest, highest = LEVELS[self.complexity]
        moved = round(min(max(self.value + by, lowest), highest), 6)
        if moved != self.value:
            self.value = moved
            self.recent.clear()  # a window tells of one difficulty alone
