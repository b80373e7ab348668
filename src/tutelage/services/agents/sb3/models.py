"""Stable-Baselines3's models: made from a config, brought back from their own zip without running what is pickled."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import stable_baselines3
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.save_util import load_from_zip_file, recursive_setattr
from torch import nn

from tutelage.core.errors import DamagedFile, InvalidSpec
from tutelage.services.agents.building import WEIGHTS, fleet_of
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.config.sb3 import COMMON, OWN, algorithm_of, given
from tutelage.services.agents.environments.base import Continuous, Discrete
from tutelage.services.agents.environments.fleet import Fleet
from tutelage.services.agents.sb3.copies import Copies
from tutelage.training import seed_of

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU}
MAX_SEED = 2**31
ACTS = {"DQN": Discrete, "SAC": Continuous}
"""Which actions an algorithm needs; PPO takes both."""


def num_copies(config: AgentsConfig) -> int:
    """Return how many copies are stepped: as given, else one, as the library's own."""
    return config.num_copies if "num_copies" in config.model_fields_set else 1


def make_model(config: AgentsConfig, seed: int, *, trains: bool = True) -> Any:
    """Return a fresh model with its environments. Raises InvalidSpec for a task that does not suit it.

    `trains` False: it will only act, and holds no memory of experience.
    """
    name = algorithm_of(config)
    fleet = fleet_of(config, [seed], num_copies=num_copies(config) if trains else 1)
    copies = Copies(fleet)
    _check_actions(name, fleet)
    arguments = _arguments(config)
    if not trains and name != "PPO":
        arguments["buffer_size"] = 1
    kind = getattr(stable_baselines3, name)
    model = kind("MlpPolicy", copies, seed=seed_of(seed, WEIGHTS) % MAX_SEED, device="cpu", **arguments)
    model.set_logger(Logger(folder=None, output_formats=[]))
    numbers = num_parameters(model)["actor"]
    if numbers > config.max_parameters:
        copies.close()
        raise InvalidSpec(
            f"the actor has {numbers:,} numbers, more than max_parameters {config.max_parameters:,}",
            hint="lower hidden_size or num_layers, or raise max_parameters",
        )
    return model


def restore(model: Any, path: Path) -> None:
    """Give a model the weights and optimizers of a zip. Raises DamagedFile.

    The zip's pickled part is not read: it could run code. What it says follows from the config.
    """
    try:
        _, weights, variables = load_from_zip_file(path, device="cpu", load_data=False)
        model.set_parameters(weights, exact_match=True, device="cpu")
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise DamagedFile(f"{path.name} is no zip of Stable-Baselines3, or of another model: {error}") from error
    for name, value in (variables or {}).items():
        if value is not None:
            recursive_setattr(model, f"{name}.data", value.data)


def num_parameters(model: Any) -> dict[str, int]:
    """Return how many numbers act, and how many there are beside (critics, targets)."""
    policy = model.policy
    total = _count(policy)
    if hasattr(policy, "q_net"):
        acting = _count(policy.q_net)
    elif hasattr(policy, "critic"):
        acting = _count(policy.actor)
    else:
        acting = total - _count(policy.value_net) - _count(policy.mlp_extractor.value_net)
    return {"actor": acting, "critic": total - acting}


def _arguments(config: AgentsConfig) -> dict[str, Any]:
    """Return the library's arguments for what is given."""
    settings, name = given(config), algorithm_of(config)
    names = {**COMMON, **OWN[name]}
    theirs = ((names[key], value) for key, value in settings.items())
    arguments: dict[str, Any] = {argument: value for argument, value in theirs if argument is not None}
    kind = getattr(stable_baselines3, name)
    if "lr_schedule" in settings:
        base = arguments.get("learning_rate", inspect.signature(kind).parameters["learning_rate"].default)
        arguments["learning_rate"] = _falling(settings["lr_schedule"], base)
    network: dict[str, Any] = {}
    if {"hidden_size", "num_layers"} & set(settings):
        network["net_arch"] = [config.hidden_size] * config.num_layers
    if "activation" in settings:
        network["activation_fn"] = ACTIVATIONS[config.activation]
    return {**arguments, "policy_kwargs": network} if network else arguments


def _falling(schedule: str, base: float) -> float | Callable[[float], float]:
    """Return a rate by the share of the budget that is left."""
    if schedule == "constant":
        return base
    if schedule == "linear":
        return lambda left: base * left
    return lambda left: base * 0.5 * (1 - math.cos(math.pi * left))


def _check_actions(name: str, fleet: Fleet) -> None:
    action = fleet.about.agents[0].action
    if name in ACTS and not isinstance(action, ACTS[name]):
        fleet.close()
        wanted = "one of several actions" if name == "DQN" else "vectors within bounds"
        raise InvalidSpec(
            f"{name} chooses {wanted}, and {fleet.about.id} takes {type(action).__name__} ones",
            hint="PPO takes both; DQN discrete actions, SAC continuous ones",
        )


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
