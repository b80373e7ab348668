"""From what the roles chose to one array an agent, as environments and channels take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tutelage.services.agents.environments.base import Actions, Continuous
from tutelage.services.agents.policies.roles import Role
from tutelage.services.agents.ppo.inputs import RoleInputs


@dataclass(frozen=True, kw_only=True)
class RoleChoice:
    """What a role's agents chose: actions and words (S, rows, ...), -1 for silence."""

    role: Role
    maker: RoleInputs
    action: Tensor | None
    word: Tensor | None


def actions_of(choices: Sequence[RoleChoice], num_agents: int) -> Actions:
    """Return one array (S, B, ...) an agent; a vector is brought from [-1, 1] to its bounds and cut there."""
    found: list[NDArray[Any] | None] = [None] * num_agents
    for choice in choices:
        if choice.action is None:
            continue
        for agent, part in zip(choice.role.agents, choice.maker.split(choice.action), strict=True):
            space = choice.role.heads.action
            found[agent] = bounded(part, space) if isinstance(space, Continuous) else part
    return tuple(found)


def words_of(choices: Sequence[RoleChoice], num_agents: int) -> tuple[NDArray[np.int64] | None, ...]:
    """Return one array (S, B) an agent, -1 for silence; None for one that cannot speak."""
    found: list[NDArray[Any] | None] = [None] * num_agents
    for choice in choices:
        if choice.word is not None:
            for agent, part in zip(choice.role.agents, choice.maker.split(choice.word), strict=True):
                found[agent] = part
    return tuple(found)


def bounded(action: NDArray[Any], space: Continuous) -> NDArray[np.float32]:
    """Return a vector of [-1, 1] as one between the bounds; what lies beyond is cut."""
    low, high = np.array(space.low, dtype=np.float32), np.array(space.high, dtype=np.float32)
    scaled: NDArray[np.float32] = low + (np.clip(action, -1.0, 1.0) + 1.0) * (0.5 * (high - low))
    return scaled.astype(np.float32, copy=False)
