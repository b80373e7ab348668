"""From what agents see and hear to the inputs of actors and critics: (S, rows, numbers), a role's agents in turn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tutelage.services.agents.environments.base import Floats, Observation
from tutelage.services.agents.policies.roles import Role

Heard = tuple[Floats | None, ...]
"""What each agent hears, (S, B, width); None for one that hears nothing."""


class RoleInputs:
    """Makes the inputs of one role; rows are its agents one after the other, each with all copies."""

    def __init__(self, role: Role, *, num_seeds: int, num_copies: int) -> None:
        self._role, self._copies = role, num_copies
        names = np.eye(len(role.agents), dtype=np.float32)[:, None, None, :]
        shape = (len(role.agents), num_seeds, num_copies, len(role.agents))
        self._names = np.broadcast_to(names, shape) if role.names_agents else None

    def actor(self, observation: Observation, heard: Heard) -> Tensor:
        """Return (S, rows, inputs)."""
        parts = [self._of_agent(place, agent, observation, heard) for place, agent in enumerate(self._role.agents)]
        return torch.from_numpy(parts[0] if len(parts) == 1 else np.concatenate(parts, 1))

    def critic(self, observation: Observation, heard: Heard) -> Tensor | None:
        """Return (S, rows, critic inputs); None where the critic sees what the actor does."""
        if not self._role.critic_inputs:
            return None
        seen = observation.seen if observation.state is None else (observation.state,)
        shared = np.concatenate([*seen, *(each for each in heard if each is not None)], -1)
        if self._names is None:
            return torch.from_numpy(shared)
        parts = [np.concatenate((shared, self._names[place]), -1) for place in range(len(self._role.agents))]
        return torch.from_numpy(np.concatenate(parts, 1))

    def allowed(self, observation: Observation) -> Tensor | None:
        """Return which actions are legal (S, rows, actions); None where all are."""
        masks = [observation.allowed[agent] if observation.allowed else None for agent in self._role.agents]
        if all(mask is None for mask in masks):
            return None
        shape = (*observation.seen[0].shape[:2], self._role.heads.num_action)
        return torch.from_numpy(
            np.concatenate([np.ones(shape, dtype=bool) if mask is None else mask for mask in masks], 1)
        )

    def rows(self, by_agent: NDArray[np.generic] | None) -> Tensor | None:
        """Return a mask or a number (S, B, agents) as the role's rows (S, rows)."""
        if by_agent is None:
            return None
        return torch.from_numpy(np.concatenate([by_agent[:, :, agent] for agent in self._role.agents], 1))

    def split(self, rows: Tensor) -> Sequence[NDArray[np.generic]]:
        """Return the role's rows (S, rows, ...) as one array (S, B, ...) an agent."""
        return [part.numpy() for part in torch.split(rows, self._copies, 1)]

    def _of_agent(self, place: int, agent: int, observation: Observation, heard: Heard) -> Floats:
        words, names = heard[agent], None if self._names is None else self._names[place]
        parts = [part for part in (observation.seen[agent], words, names) if part is not None]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, -1)
