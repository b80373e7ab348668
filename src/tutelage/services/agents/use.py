"""Answers requests to finished policies: observations in, actions out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.ports import Emit, Requests
from tutelage.services.agents.artifacts import SavedTeam, load_saved_team
from tutelage.services.agents.asking import ActRequest, matrix, read_request
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.environments.base import Continuous
from tutelage.services.agents.policies.team import RolePolicy
from tutelage.services.agents.ppo.acting import bounded


def use(model: Path, config: AgentsConfig, requests: Requests, emit: Emit) -> None:
    """Load the policies once and answer every request."""
    if config.backend == "sb3":
        from tutelage.services.agents.sb3.use import SavedModel  # here, since the library may be absent

        library_model = SavedModel(model / "artifacts")
        for request in requests:
            emit(library_model.answer(read_request(request)))
        return
    saved = load_saved_team(model / "artifacts")
    for request in requests:
        emit(answer(saved, read_request(request)))


@torch.no_grad()
def answer(saved: SavedTeam, asked: ActRequest) -> dict[str, Any]:
    """Return the action, its odds where it is one of several, and the memory to send with the next observation."""
    policy, place, agent = _policy(saved, asked.agent)
    index = _seed_index(saved, asked.seed)
    inputs = _inputs(policy, place, asked)
    rows, seeds = len(inputs), saved.team.num_seeds
    spread = inputs.expand(seeds, -1, -1)
    memory = _memory(policy, asked, rows)
    outputs, later = policy.actor.step(
        policy.inputs(spread.clone()), None if memory is None else memory.expand(seeds, -1, -1)
    )
    log_std = None if policy.log_std is None else policy.log_std[index]
    heads, own = policy.role.heads, outputs[index]
    allowed = None if asked.allowed is None else matrix("allowed", asked.allowed, heads.num_action, rows).bool()
    noise = heads.noise((rows,), torch.Generator().manual_seed(asked.draw_seed)) if asked.sample else None
    choice = heads.choose(own, log_std, noise=noise, allowed=allowed)
    is_one = bool(asked.observation) and not isinstance(asked.observation[0], list)
    found: dict[str, Any] = {"agent": agent, "seed": saved.seeds[index]}
    if choice.action is not None:
        found["action"] = _listed(_bounded(choice.action, policy), is_one=is_one)
    if not isinstance(heads.action, Continuous) and heads.action is not None:
        scores = own[:, : heads.num_action]
        scores = scores if allowed is None else scores.masked_fill(~allowed, -1e9)
        found["odds"] = _listed(scores.softmax(-1), is_one=is_one)
    if choice.word is not None:
        found["word"] = _listed(choice.word, is_one=is_one)
    if later is not None:
        found["memory"] = _listed(later[index], is_one=is_one)
    return found


def _policy(saved: SavedTeam, asked: str | None) -> tuple[RolePolicy, int, str]:
    """Return the policy of an agent, its place in its role, and its name."""
    names = [agent.name for agent in saved.about.agents]
    name = asked if asked is not None else names[0]
    if name not in names:
        raise unknown("agent", name, names)
    for policy in saved.team.roles:
        if names.index(name) in policy.role.agents:
            return policy, policy.role.agents.index(names.index(name)), name
    raise AssertionError("every agent has a role")


def _seed_index(saved: SavedTeam, asked: int | None) -> int:
    if asked is None:
        return saved.best_index
    if asked not in saved.seeds:
        raise unknown("seed", str(asked), [str(seed) for seed in saved.seeds])
    return saved.seeds.index(asked)


def _inputs(policy: RolePolicy, place: int, asked: ActRequest) -> Tensor:
    """Return (rows, inputs): what is seen, heard, and which agent of its role it is."""
    role = policy.role
    seen = matrix("observation", asked.observation, role.observation, None)
    rows = len(seen)
    heard = torch.zeros(rows, role.hears)
    if asked.heard is not None:
        heard = matrix("heard", asked.heard, role.hears, rows)
    names = torch.zeros(rows, role.names_agents)
    if role.names_agents:
        names[:, place] = 1.0
    return torch.cat((seen, heard, names), 1)


def _memory(policy: RolePolicy, asked: ActRequest, rows: int) -> Tensor | None:
    empty = policy.actor.memory(1, rows)
    if empty is None:
        if asked.memory is not None:
            raise InvalidSpec("this policy has no memory", hint="leave 'memory' out")
        return None
    return empty[0] if asked.memory is None else matrix("memory", asked.memory, empty.shape[-1], rows)


def _bounded(action: Tensor, policy: RolePolicy) -> Tensor:
    space = policy.role.heads.action
    if not isinstance(space, Continuous):
        return action
    return torch.from_numpy(np.asarray(bounded(action.numpy(), space)))


def _listed(values: Tensor, *, is_one: bool) -> Any:
    return values[0].tolist() if is_one else values.tolist()


__all__ = ["ActRequest", "answer", "read_request", "use"]
