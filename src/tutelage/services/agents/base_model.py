"""A finished operation's policies as the beginning of another training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from tutelage.core.errors import InvalidSpec
from tutelage.services.agents.artifacts import CONFIG, SavedTeam, load_saved_team
from tutelage.services.agents.building import build_of, fleet_of, generators_of, roles_for, speech_of
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.policies.team import Team, seed_slices


@dataclass(frozen=True, kw_only=True)
class Base:
    """The policies that a training begins with: the best seed's, for every seed of the new one."""

    saved: SavedTeam
    weights: dict[str, Tensor]
    """As a team of one seed has them."""


def load_base(config: AgentsConfig) -> Base | None:
    """Return the base model of a config; None where it names none. Raises InvalidSpec or DamagedFile."""
    if config.base_model is None:
        return None
    folder = Path(config.base_model).expanduser()
    folder = folder if (folder / CONFIG).is_file() else folder / "artifacts"
    if not (folder / CONFIG).is_file():
        raise InvalidSpec(
            f"base_model {config.base_model!r} holds no {CONFIG}",
            hint="name the folder of artifacts of a finished operation of this service, or the operation's own folder",
        )
    saved = load_saved_team(folder)
    return Base(saved=saved, weights=seed_slices(saved.team, saved.best_index))


@torch.no_grad()
def begin_with(team: Team, base: Base) -> None:
    """Give every seed of a team the base's weights and statistics. Raises InvalidSpec where they do not fit.

    What depends on the number of copies, the running return of each, begins anew.
    """
    own = team.state_dict()
    for name, tensor in own.items():
        given = base.weights.get(name)
        if name.startswith("returns.") and given is not None and given.shape[1:] != tensor.shape[1:]:
            continue
        fits = given is not None and (tensor.dim() == 0 or given.shape[1:] == tensor.shape[1:])
        if given is None or not fits:
            got = "nothing" if given is None else str(tuple(given.shape))
            raise InvalidSpec(
                f"base_model does not fit: {name} is {tuple(tensor.shape)} a team, and the base has {got}",
                hint="take the base's hidden_size, num_layers, policy and protocols, and a task of equal spaces",
            )
        tensor.copy_(given if tensor.dim() == 0 else given.expand_as(tensor))


def frozen_copy(base: Base, config: AgentsConfig, seeds: Sequence[int]) -> Team:
    """Return the base's policies for every seed, to hold a training against."""
    fleet = fleet_of(config, seeds[:1], num_copies=1)
    fleet.close()
    speech = speech_of(config, fleet.about, seeds, num_copies=1)
    roles = roles_for(config, fleet.about, speech)
    team = Team(roles, build_of(config), generators_of(seeds, 0), num_copies=1)
    begin_with(team, base)
    for parameter in team.parameters():
        parameter.requires_grad_(False)
    return team.eval()
