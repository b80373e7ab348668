"""The settings of hierarchical assignment: who they are for, and what they are where they are not given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tutelage.core.errors import InvalidSpec

if TYPE_CHECKING:
    from tutelage.services.agents.config.document import AgentsConfig

EVERY = 5
GOAL_WEIGHT = 3.0
"""As measured in simple_spread: with 1 workers hardly heed their goals."""


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """How a manager assigns: a goal is held for `every` steps; `goal_weight` rewards coming nearer to it."""

    every: int
    goal_weight: float


def assignment_of(config: AgentsConfig) -> Assignment | None:
    """Return how goals are assigned; None where nobody assigns."""
    if config.coordination_strategy != "hierarchical":
        return None
    every, weight = config.assignment_every, config.goal_weight
    return Assignment(every=EVERY if every is None else every, goal_weight=GOAL_WEIGHT if weight is None else weight)


def check_assignment(config: AgentsConfig) -> None:
    """Settings of the assignment are there only where somebody assigns."""
    given = [name for name in ("assignment_every", "goal_weight") if getattr(config, name) is not None]
    if given and config.coordination_strategy != "hierarchical":
        raise InvalidSpec(
            f"{' and '.join(given)} count with coordination_strategy 'hierarchical', got "
            f"{config.coordination_strategy!r}",
            hint=f"leave {' and '.join(given)} out, or set the strategy",
        )
