"""`task_complexity`: difficulty moves so that success stays where there is most to learn."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tutelage.core.errors import InvalidSpec
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.environments.fleet import Fleet
from tutelage.services.agents.environments.vectorized import Adjustable
from tutelage.services.agents.ppo.collector import Ended

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


def difficulties_of(config: AgentsConfig, fleet: Fleet) -> list[Difficulty]:
    """Return each seed's difficulty, set in its environment; none where `task_complexity` is not given.

    Raises InvalidSpec for a task whose difficulty cannot be moved.
    """
    if config.task_complexity is None:
        return []
    found = []
    for environment in fleet.environments:
        if not isinstance(environment, Adjustable):
            raise InvalidSpec(
                f"task_complexity {config.task_complexity!r} moves a task's difficulty, and {fleet.about.id} has none",
                hint="leave it out, or take a task such as speaker_listener, simple_spread or four_rooms",
            )
        difficulty = Difficulty(complexity=config.task_complexity)
        environment.difficulty = difficulty.value
        found.append(difficulty)
    return found


def move(difficulties: Sequence[Difficulty], fleet: Fleet, ended: Sequence[Ended]) -> None:
    """Take the episodes that ended in, and set each environment's difficulty where it has moved."""
    for difficulty, environment, each in zip(difficulties, fleet.environments, ended, strict=False):
        if difficulty.ended(each.successes) and isinstance(environment, Adjustable):
            environment.difficulty = difficulty.value
