"""All weights of a job: an actor and a critic a role, each for S seeds, with what normalises their inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Generator, Tensor, nn

from tutelage.services.agents.environments.base import Continuous
from tutelage.services.agents.policies.bodies import Recurrent, Shape, create_body
from tutelage.services.agents.policies.normalize import Normalizer, ReturnScale
from tutelage.services.agents.policies.roles import Role
from tutelage.services.agents.policies.stacked import StackedLinear

ACTOR_GAIN, CRITIC_GAIN = 0.01, 1.0
FIRST_LOG_STD = -0.5


@dataclass(frozen=True, kw_only=True)
class Build:
    """How every network is shaped (its inputs apart), and what is normalised."""

    actor: Shape
    critic: Shape
    normalizes_inputs: bool = True


class Network(nn.Module):
    """A body and its linear outputs."""

    def __init__(self, shape: Shape, outputs: int, generators: Sequence[Generator], *, gain: float) -> None:
        super().__init__()
        self.body = create_body(shape, generators)
        self.head = StackedLinear(self.body.width, outputs, generators, gain=gain)

    @property
    def is_recurrent(self) -> bool:
        """Whether it needs a memory from step to step."""
        return self.body.is_recurrent

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (S, B, outputs) of inputs (S, B, inputs)."""
        outputs: Tensor = self.head(self.body(x))
        return outputs

    def step(self, x: Tensor, memory: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the outputs of one step, and the memory after it (None where there is none)."""
        if memory is None:
            return self(x), None
        assert isinstance(self.body, Recurrent), "it has a memory"
        memory = self.body.step(x, memory)
        return self.head(memory), memory

    def unroll(self, x: Tensor, memory: Tensor, begins: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs and memories (S, B, T, ...) of sequences (S, B, T, inputs)."""
        assert isinstance(self.body, Recurrent), "it has a memory"
        memories = self.body.unroll(x, memory, begins)
        return self.head(memories), memories

    def memory(self, num_seeds: int, num_rows: int) -> Tensor | None:
        """Return an empty memory (S, rows, width), or None where there is none."""
        return torch.zeros(num_seeds, num_rows, self.body.width) if self.is_recurrent else None


class RolePolicy(nn.Module):
    """Actor and critic of one role."""

    def __init__(self, role: Role, build: Build, generators: Sequence[Generator]) -> None:
        super().__init__()
        self.role = role
        num_seeds = len(generators)
        inputs = role.critic_inputs or role.inputs
        actor = replace(build.actor, inputs=role.inputs, entities=role.entities)
        critic = replace(build.critic, inputs=inputs, entities=None if role.critic_inputs else role.entities)
        self.actor = Network(actor, role.heads.outputs, generators, gain=ACTOR_GAIN)
        self.critic = Network(critic, 1, generators, gain=CRITIC_GAIN)
        num = role.observation if build.normalizes_inputs else 0
        self.inputs = Normalizer(role.inputs, num_seeds, num=num)
        self.critic_inputs = (
            Normalizer(role.critic_inputs, num_seeds, num=role.critic_seen if build.normalizes_inputs else 0)
            if role.critic_inputs
            else None
        )
        is_vector = isinstance(role.heads.action, Continuous)
        first = torch.full((num_seeds, 1, role.heads.num_action), FIRST_LOG_STD)
        self.log_std = nn.Parameter(first) if is_vector else None

    def num_parameters(self) -> dict[str, int]:
        """Return the numbers that one seed's actor and critic learn."""
        actor = _numbers(self.actor) + (0 if self.log_std is None else self.log_std[0].numel())
        return {"actor": actor, "critic": _numbers(self.critic)}


class Team(nn.Module):
    """The policies of all roles, for S seeds."""

    def __init__(
        self, roles: Sequence[Role], build: Build, generators: Sequence[Generator], *, num_copies: int
    ) -> None:
        super().__init__()
        self.num_seeds = len(generators)
        self.policies = nn.ModuleList(RolePolicy(role, build, generators) for role in roles)
        self.returns = nn.ModuleList(ReturnScale(self.num_seeds, num_copies * len(role.agents)) for role in roles)

    @property
    def roles(self) -> tuple[RolePolicy, ...]:
        """The policies, typed."""
        return tuple(policy for policy in self.policies if isinstance(policy, RolePolicy))

    def num_parameters(self) -> dict[str, dict[str, int]]:
        """Return one seed's counts by role."""
        return {policy.role.name: policy.num_parameters() for policy in self.roles}


def seed_slices(team: nn.Module, index: int) -> dict[str, Tensor]:
    """Return one seed's part of every weight and statistic, as a team of that seed alone has them."""
    return {
        name: (tensor if tensor.dim() == 0 else tensor[index : index + 1]).clone()
        for name, tensor in team.state_dict().items()
    }


@torch.no_grad()
def copy_seed(target: dict[str, Tensor], source: nn.Module, index: int) -> None:
    """Copy one seed's part of the source's weights and statistics into `target`, a state dict of the same shape."""
    for name, tensor in source.state_dict().items():
        if tensor.dim() == 0:
            target[name].copy_(tensor)
        else:
            target[name][index].copy_(tensor[index])


def _numbers(module: Any) -> int:
    return sum(parameter[0].numel() for parameter in module.parameters())
