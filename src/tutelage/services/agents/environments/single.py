"""What an environment that is not ours is, one copy at a time, once it is translated: all agents' numbers in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from tutelage.services.agents.environments.base import About, Floats
from tutelage.services.agents.environments.scenes import Shape


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What each agent of one copy sees, (observation of agent a,), and who still plays."""

    observations: tuple[Floats, ...]
    plays: tuple[bool, ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One step of one copy; `succeeded` counts where the episode ended."""

    seen: Seen
    rewards: tuple[float, ...]
    terminated: bool
    truncated: bool
    succeeded: bool


class Single(Protocol):
    """One copy of an environment."""

    about: About

    def reset(self, seed: int) -> Seen:
        """Begin an episode whose randomness begins with `seed`."""

    def step(self, actions: tuple[Any, ...]) -> Outcome:
        """Take one step; `actions` are whole numbers or vectors, one an agent."""

    def shapes(self) -> tuple[list[Shape], tuple[float, float, float, float]] | None:
        """Return shapes to draw and their bounds, or None where the environment describes none."""

    def close(self) -> None:
        """Give back what the copy holds."""
