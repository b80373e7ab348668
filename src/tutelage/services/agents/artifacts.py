"""The files a training leaves behind, and a team brought back from them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tutelage.core.errors import DamagedFile, InvalidSpec
from tutelage.core.ports import Run
from tutelage.services.agents.building import fleet_of, roles_for, speech_of, team_of
from tutelage.services.agents.communication.making import channel_document
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.environments.base import About, AgentSpaces, Discrete
from tutelage.services.agents.evaluation.delegation import assignment_document
from tutelage.services.agents.policies.team import Team
from tutelage.services.agents.teams.roles import team_roles

WEIGHTS, TORCH_WEIGHTS, CONFIG = "agent_weights.safetensors", "agent_weights.pt", "agent_config.json"
BEHAVIOR, STATS = "behavior_policy.json", "training_stats.json"
TRAJECTORY, GIF = "trajectory.json", "episode.gif"


@dataclass(frozen=True, kw_only=True)
class SavedTeam:
    """A team of all seeds of a finished operation, and which of them did best."""

    team: Team
    config: AgentsConfig
    about: About
    seeds: tuple[int, ...]
    best_seed: int

    @property
    def best_index(self) -> int:
        """Where the best seed's part of the weights is."""
        return self.seeds.index(self.best_seed)


def save_weights(run: Run, weights: Mapping[str, Tensor]) -> None:
    """Write the weights and statistics of all seeds in two forms, neither of which can run code."""
    plain = {name: tensor.detach().clone().contiguous() for name, tensor in weights.items()}
    save_file(plain, run.artifact(WEIGHTS))
    torch.save(plain, run.artifact(TORCH_WEIGHTS))


def environment_document(config: AgentsConfig, about: About) -> dict[str, Any]:
    """Return which environment a policy was trained in."""
    return {
        "id": about.id,
        "version": about.version,
        "kwargs": dict(config.environment.kwargs),
        "max_steps": about.max_steps,
        "success": about.success,
    }


def agent_config(
    config: AgentsConfig, team: Team, about: About, seeds: Sequence[int], *, best_seed: int
) -> dict[str, Any]:
    """Return `agent_config.json`: spaces, architecture, counts, environment and its version, roles, seeds."""
    return {
        "format": "tutelage.agents",
        "version": 1,
        "config": config.model_dump(mode="json"),
        "environment": environment_document(config, about),
        "agents": [spaces_document(agent) for agent in about.agents],
        "roles": [
            {
                "name": policy.role.name,
                "agents": [about.agents[index].name for index in policy.role.agents],
                "architecture": config.kind,
                "inputs": policy.role.inputs,
                "outputs": policy.role.heads.outputs,
                "parameters": policy.num_parameters(),
            }
            for policy in team.roles
        ],
        "duties": team_roles(about, config.communication_protocols, config.channel),
        "assignment": assignment_document(config, about),
        "channel": channel_document(about, config.communication_protocols, config.channel),
        "seeds": list(seeds),
        "best_seed": best_seed,
    }


def load_saved_team(folder: Path) -> SavedTeam:
    """Return the team of a folder of artifacts. Raises InvalidSpec or DamagedFile."""
    if not (folder / WEIGHTS).is_file():
        raise InvalidSpec(
            f"there are no policies in {folder.name}", hint="they are written when the training completes"
        )
    try:
        document = json.loads((folder / CONFIG).read_text())
        config = AgentsConfig.model_validate(document["config"])
        seeds, best_seed = tuple(document["seeds"]), int(document["best_seed"])
        weights = load_file(folder / WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DamagedFile(f"the policies in {folder.name} cannot be read: {error}") from error
    fleet = fleet_of(config, seeds[:1], num_copies=1)
    fleet.close()
    speech = speech_of(config, fleet.about, seeds, num_copies=1)
    team = team_of(config, roles_for(config, fleet.about, speech), seeds, num_copies=config.num_copies)
    try:
        team.load_state_dict(weights)
    except RuntimeError as error:
        raise DamagedFile(f"the policies in {folder.name} do not fit their config: {error}") from error
    return SavedTeam(team=team.eval(), config=config, about=fleet.about, seeds=seeds, best_seed=best_seed)


def write_json(run: Run, name: str, document: Mapping[str, Any]) -> None:
    """Write an artifact as JSON."""
    run.artifact(name).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def spaces_document(agent: AgentSpaces) -> dict[str, Any]:
    """Return what one agent sees and may do, for `agent_config.json`."""
    space = agent.action
    if space is None:
        action: dict[str, Any] | None = None
    elif isinstance(space, Discrete):
        action = {"kind": "discrete", "num": space.num}
    else:
        action = {"kind": "continuous", "low": list(space.low), "high": list(space.high)}
    return {"name": agent.name, "observation": agent.observation, "action": action}
