"""Trainings in this process, with all their files, for the tests of `agents`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.core.layout import OperationFiles
from tutelage.run import FileRun
from tutelage.services.agents import SERVICE
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.train import train

TINY: Mapping[str, Any] = {
    "hidden_size": 8,
    "num_layers": 1,
    "num_copies": 16,
    "rollout_steps": 25,
    "epochs": 1,
    "batch_size": 400,
    "max_steps": 1200,
    "num_evaluations": 3,
    "evaluation_episodes": 5,
    "final_episodes": 10,
}
"""A training of a second, for tasks with episodes of 25 steps."""


def trained(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Train with the files of an operation in a new folder, and return the result document."""
    files = OperationFiles(folder)
    files.root.mkdir(parents=True)
    files.commands.write_text("")
    run = FileRun(files=files, service=SERVICE, attempt=1, seed=1)
    run.begin()
    try:
        found = train(AgentsConfig.model_validate(settings), run)
    finally:
        run.close()
    assert found is not None
    return found
