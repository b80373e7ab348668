"""What the training modes claim, shown by small trainings that learn: each passes its exit test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from agents_trainings import trained

pytestmark = pytest.mark.slow  # trainings of some seconds
LONGER: dict[str, Any] = {
    "preset": "cartpole",
    "environment": {"id": "CartPole-v1", "kwargs": {"length": 2.0}},
    "max_steps": 20_480,
    "num_evaluations": 10,
    "final_episodes": 20,
}
"""A pole four times as long, and every second update an evaluation."""
GAME: dict[str, Any] = {
    "preset": "referential_game",
    "environment": {"id": "referential_game", "kwargs": {"num_attributes": 1, "num_values": 3, "num_candidates": 3}},
    "max_steps": 102_400,
    "num_evaluations": 2,
    "final_episodes": 50,
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def balancer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that keeps the usual pole up."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("base") / "op"
    trained(folder, {"preset": "cartpole", "max_steps": 102_400, "num_evaluations": 4, "final_episodes": 20})
    return folder


def test_a_base_regains_its_return_in_fewer_steps_than_from_scratch(balancer: Path, tmp_path: Path) -> None:
    settings = {**LONGER, "training_mode": "behavior_adaptation", "base_model": str(balancer)}
    found = trained(tmp_path / "op", settings)["mode"]
    assert found["passed"] is True, json.dumps(found)
    assert found["return_at_once"] < found["level"] < found["former_return"]
    assert 0 < found["mean_steps_adapted"] < found["mean_steps_from_scratch_at_least"]


def test_a_specialist_gains_in_its_target_and_keeps_half_of_what_it_knew(balancer: Path, tmp_path: Path) -> None:
    settings = {**LONGER, "training_mode": "task_specialization", "base_model": str(balancer), "seeds": 2}
    found = trained(tmp_path / "op", settings)["mode"]
    assert found["passed"] is True, json.dumps(found)
    assert found["target_gain"]["low"] > 100
    assert found["forgetting"] <= found["max_forgetting"]


@pytest.mark.parametrize("mode", ["multi_agent_collaboration", "communication_protocols"])
def test_a_team_that_learns_to_speak_passes_its_exit_test(mode: str, tmp_path: Path) -> None:
    found = trained(tmp_path / "op", {**GAME, "training_mode": mode})
    assert found["mode"]["passed"] is True, json.dumps(found["mode"])
