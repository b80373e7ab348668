"""What one role saw, did and got in one rollout: buffers (S, T, rows, ...), made once and written again."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tutelage.services.agents.environments.base import Continuous
from tutelage.services.agents.policies.team import RolePolicy
from tutelage.services.agents.ppo.returns import advantages


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much one rollout holds: S seeds, T steps, B copies of the environment."""

    seeds: int
    steps: int
    copies: int


@dataclass(frozen=True, kw_only=True)
class Transitions:
    """A role's rollout, ready to learn from; tensors (S, T, rows, ...).

    `critic_inputs` None: those of the actor. `plays` None: everyone always. Memories (S, rows, width) are those that
    the rollout began with, None for networks without; `begins` says where an episode began.
    """

    inputs: Tensor
    critic_inputs: Tensor | None
    action: Tensor | None
    word: Tensor | None
    allowed: Tensor | None
    plays: Tensor | None
    log_prob: Tensor
    advantage: Tensor
    returns: Tensor
    values: Tensor
    begins: Tensor
    actor_memory: Tensor | None
    critic_memory: Tensor | None


class Storage:
    """The buffers of one role."""

    def __init__(self, policy: RolePolicy, sizes: Sizes) -> None:
        role, self._sizes = policy.role, sizes
        self._policy = policy
        self.rows = sizes.copies * len(role.agents)
        shape, later = (sizes.seeds, sizes.steps, self.rows), (sizes.seeds, sizes.steps + 1, self.rows)
        self.raw, self.inputs = torch.zeros(*shape, role.inputs), torch.zeros(*later, role.inputs)
        self.critic_raw = torch.zeros(*shape, role.critic_inputs) if role.critic_inputs else None
        self.critic_inputs = torch.zeros(*later, role.critic_inputs) if role.critic_inputs else None
        self.outputs = torch.zeros(*shape, role.heads.outputs)
        self.action = _action_buffer(policy, shape)
        self.word = torch.zeros(shape, dtype=torch.long) if role.heads.symbols else None
        self.allowed: Tensor | None = None
        self.plays: Tensor | None = None
        self.rewards, self.ended = torch.zeros(shape), torch.zeros(shape, dtype=torch.bool)
        self.begins = torch.zeros(shape, dtype=torch.bool)
        self.limits: list[tuple[int, Tensor, Tensor]] = []
        """(step, who reached the time limit (S, rows), the critic's inputs at that end (S, rows, ...))."""

    def masks(self, time: int, *, allowed: Tensor | None, plays: Tensor | None) -> None:
        """Write the masks of a step, in buffers that are made once a mask is there."""
        shape = self.rewards.shape
        if allowed is not None and self.allowed is None:
            self.allowed = torch.ones(*shape, allowed.shape[-1], dtype=torch.bool)
        if plays is not None and self.plays is None:
            self.plays = torch.ones(shape, dtype=torch.bool)
        if self.allowed is not None:
            self.allowed[:, time] = True if allowed is None else allowed
        if self.plays is not None:
            self.plays[:, time] = True if plays is None else plays

    @torch.no_grad()
    def finished(
        self, rewards: Tensor, *, actor_memory: Tensor | None, critic_memory: Tensor | None, gamma: float, lam: float
    ) -> Transitions:
        """Value what was seen, estimate advantages, and return all to learn from; `rewards` are scaled."""
        policy = self._policy
        seen = self.inputs if self.critic_inputs is None else self.critic_inputs
        values, memories = self._values(seen, critic_memory)
        rewards = self._bootstrapped(rewards, memories, gamma)
        advantage = advantages(rewards, values, self.ended, gamma=gamma, lam=lam)
        odds = policy.role.heads.odds(
            self.outputs, _wide(policy.log_std), action=self.action, word=self.word, allowed=self.allowed
        )
        return Transitions(
            inputs=self.inputs[:, :-1],
            critic_inputs=None if self.critic_inputs is None else self.critic_inputs[:, :-1],
            action=self.action,
            word=self.word,
            allowed=self.allowed,
            plays=self.plays,
            log_prob=odds.log_prob,
            advantage=advantage,
            returns=advantage + values[:, :-1],
            values=values[:, :-1],
            begins=self.begins,
            actor_memory=actor_memory,
            critic_memory=critic_memory,
        )

    def _values(self, seen: Tensor, memory: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return values (S, T + 1, rows), and the critic's memories (S, T + 1, rows, width) where it has any."""
        critic = self._policy.critic
        if memory is None:
            return critic(seen.flatten(1, 2)).view(seen.shape[:3]), None
        last = self.ended[:, -1:]
        begins = torch.cat((self.begins, last), 1)
        values, memories = critic.unroll(seen.transpose(1, 2), memory, begins.transpose(1, 2))
        return values.squeeze(-1).transpose(1, 2), memories.transpose(1, 2)

    def _bootstrapped(self, rewards: Tensor, memories: Tensor | None, gamma: float) -> Tensor:
        """Add the discounted value of the last observation where the time limit cut an episode."""
        if not self.limits:
            return rewards
        rewards = rewards.clone()
        critic = self._policy.critic
        if memories is None:
            seen = torch.stack([inputs for _, _, inputs in self.limits], 1)
            values = critic(seen.flatten(1, 2)).view(seen.shape[:3]).unbind(1)
        else:
            values = [critic.step(inputs, memories[:, time])[0].squeeze(-1) for time, _, inputs in self.limits]
        for (time, reached, _), value in zip(self.limits, values, strict=True):
            rewards[:, time] += gamma * value * reached
        return rewards


def _action_buffer(policy: RolePolicy, shape: tuple[int, ...]) -> Tensor | None:
    heads = policy.role.heads
    if heads.action is None:
        return None
    if isinstance(heads.action, Continuous):
        return torch.zeros(*shape, heads.num_action)
    return torch.zeros(shape, dtype=torch.long)


def _wide(log_std: Tensor | None) -> Tensor | None:
    """Return (S, 1, 1, size) of (S, 1, size)."""
    return None if log_std is None else log_std.unsqueeze(1)
