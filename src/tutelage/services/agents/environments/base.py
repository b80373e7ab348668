"""What an environment of `agents` is: many independent copies stepped together, for one agent or a team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Discrete:
    """One of `num` actions."""

    num: int


@dataclass(frozen=True, kw_only=True)
class Continuous:
    """A vector of actions, each within its bounds."""

    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Entities:
    """A part of an observation that lists `num` things of `size` numbers each from `start` on, for attention."""

    start: int
    num: int
    size: int


@dataclass(frozen=True, kw_only=True)
class AgentSpaces:
    """What one agent sees and may do. `action` None: it only speaks."""

    name: str
    observation: int
    """Numbers it sees, without what a channel brings."""
    action: Discrete | Continuous | None
    entities: Entities | None = None


@dataclass(frozen=True, kw_only=True)
class Link:
    """How agents of this task may speak to each other: one word of `words` a step, heard one step later."""

    words: int
    speakers: tuple[int, ...]
    hearers: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A return to compare with, such as the oracle's, and how it is known."""

    value: float
    how: str


@dataclass(frozen=True, kw_only=True)
class About:
    """The facts of a task. Success is defined by the task, never by the reward alone."""

    id: str
    version: str
    agents: tuple[AgentSpaces, ...]
    max_steps: int
    success: str
    """The definition in words: `all 500 steps survived`."""
    link: Link | None = None
    state: int = 0
    """Numbers of `Observation.state`, for a shared critic; 0: it sees all agents' observations side by side."""
    references: Mapping[str, Reference] = field(default_factory=dict)
    """Known returns an episode by name: `oracle`, `random`, `no_channel` (the best without a link)."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What the agents see, B copies together.

    `seen[a]` is (B, observation of agent a). The masks are (B, agents), None where always true: who still plays, who
    can speak now, who can hear now. `allowed[a]` is (B, actions of agent a), None where every action is legal.
    """

    seen: tuple[Floats, ...]
    plays: Booleans | None = None
    speaks: Booleans | None = None
    hears: Booleans | None = None
    allowed: tuple[Booleans | None, ...] | None = None
    state: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of B copies. A copy that ended has begun anew: `observation` is its first, `last` the one it ended with.

    `rewards` is (B, agents); `terminated`, `truncated` (the time limit) and `succeeded` are (B,); `succeeded` counts
    where one of the other two is true. `last` is None where no copy ended. `shaping` (B, agents) is learnt from
    on top of the rewards and is no part of a return; None: there is none.
    """

    observation: Observation
    rewards: Floats
    terminated: Booleans
    truncated: Booleans
    succeeded: Booleans
    last: Observation | None = None
    shaping: Floats | None = None


Actions = tuple[NDArray[Any] | None, ...]
"""One array an agent: int64 (B,) for Discrete, float32 (B, size) for Continuous, None for an agent that only speaks."""


class BatchedEnvironment(Protocol):
    """`num` copies of a task, stepped together; its randomness is its own, so that its state can be kept."""

    about: About
    num: int

    def reset(self) -> Observation:
        """Begin anew in every copy."""

    def step(self, actions: Actions) -> Step:
        """Take one step in every copy."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next steps depend on, randomness included: arrays and plain values."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""

    def scene(self, copy: int) -> dict[str, Any]:
        """Describe one copy for a trajectory: JSON values with shapes to draw (see `scenes`)."""

    def close(self) -> None:
        """Give back processes and connections."""
