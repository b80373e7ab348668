"""Trains behaviour policies: one agent or a team, several seeds in one job."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from tutelage.core.errors import MissingDependency
from tutelage.core.ports import Run
from tutelage.services.agents.base_model import load_base
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.modes.protocols import settled
from tutelage.services.agents.packaging import package
from tutelage.services.agents.training import Training


def train(config: AgentsConfig, run: Run) -> dict[str, Any] | None:
    """Train, evaluate the best and the last weights, write the artifacts; None where it was paused or cancelled."""
    run.phase("preparing")
    if config.backend == "sb3":
        return _train_by_library(config, run)
    config = settled(config)
    base = load_base(config)
    training = Training(config, run, base=base)
    try:
        ending = training.run()
    finally:
        training.close()
    if ending in ("pause", "cancel"):
        return None
    run.phase("evaluating")
    return package(config, run, training, ended_by=ending, base=base)


def _train_by_library(config: AgentsConfig, run: Run) -> dict[str, Any] | None:
    if find_spec("stable_baselines3") is None or find_spec("gymnasium") is None:
        raise MissingDependency(
            "backend 'sb3' needs Stable-Baselines3, which is not installed", hint="pip install 'tutelage[sb3]'"
        )
    from tutelage.services.agents.sb3.packaging import train as train_by_library

    return train_by_library(config, run)
