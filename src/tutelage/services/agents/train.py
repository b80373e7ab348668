"""Trains behaviour policies: one agent or a team, several seeds in one job."""

from __future__ import annotations

from typing import Any

from tutelage.core.ports import Run
from tutelage.services.agents.base_model import load_base
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.modes.protocols import settled
from tutelage.services.agents.packaging import package
from tutelage.services.agents.training import Training


def train(config: AgentsConfig, run: Run) -> dict[str, Any] | None:
    """Train, evaluate the best and the last weights, write the artifacts; None where it was paused or cancelled."""
    run.phase("preparing")
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
