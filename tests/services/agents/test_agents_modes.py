"""Training modes: their settings, and the tests they end with, in trainings of a second each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from agents_trainings import TINY, trained

from tutelage.core.errors import InvalidSpec, NotYet
from tutelage.services.agents.artifacts import load_saved_team
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.config.presets import PRESETS
from tutelage.services.agents.environments.base import Discrete
from tutelage.services.agents.modes.protocols import COMPARED, outcome, settled
from tutelage.services.agents.policies.heads import Heads
from tutelage.services.agents.ppo.anchoring import divergence
from tutelage.services.agents.ppo.minibatches import Minibatch

SPEAKER = {**TINY, "environment": {"id": "speaker_listener"}}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def tried(folder: Path, **changes: Any) -> dict[str, Any]:
    """Train the speaker and its listener for a second, with these changes; return the result document."""
    return trained(folder, {**SPEAKER, **changes})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished training of a team that speaks."""
    folder = tmp_path_factory.mktemp("base") / "op"
    found = tried(folder, training_mode="communication_protocols")
    assert found["mode"]["mode"] == "communication_protocols"
    return folder


@pytest.mark.slow  # trains, examines and exports
def test_a_team_leaves_its_code_its_score_its_duties_and_its_film(base: Path) -> None:
    behavior = json.loads((base / "artifacts" / "behavior_policy.json").read_text())
    assert behavior["mode"]["causal_influence"] >= 0.0
    assert behavior["mode"]["passed"] == (behavior["mode"]["causal_influence"] > 0.05)
    assert behavior["mode"]["code"][0]["speaker"] == "speaker"
    assert len(behavior["mode"]["code"][0]["situations"]) == 3
    assert 0.0 <= behavior["coordination_score"] <= 1.0
    assert behavior["coordination"]["1"]["reference"]["value"] == behavior["references"]["oracle"]
    assert behavior["communication"]["messages_per_step"] == 1.0
    config = json.loads((base / "artifacts" / "agent_config.json").read_text())
    assert config["duties"] == {"speaker": "coordinator", "listener": "specialist"}
    assert config["channel"]["symbols"] == {"speaker": 3}
    assert config["channel"]["hears"] == {"listener": ["speaker"]}
    film = json.loads((base / "artifacts" / "trajectory.json").read_text())
    assert len(film["frames"]) == 75
    assert film["frames"][0]["messages"][0]["to"] == ["listener"]
    assert (base / "artifacts" / "episode.gif").is_file()


@pytest.mark.slow  # trains, examines and exports
def test_adaptation_is_measured_against_a_training_from_scratch(base: Path, tmp_path: Path) -> None:
    found = tried(
        tmp_path / "op",
        training_mode="behavior_adaptation",
        base_model=str(base / "artifacts"),
        environment={"id": "speaker_listener", "kwargs": {"action_map": [0, 2, 1, 4, 3]}},
    )["mode"]
    former = json.loads((base / "artifacts" / "behavior_policy.json").read_text())["evaluation"]["greedy"]["return"]
    assert found["former_return"] == pytest.approx(former)
    assert found["level"] == pytest.approx(found["floor"] + 0.8 * (former - found["floor"]))
    assert found["passed"] in (True, False)
    assert found["mean_steps_adapted"] <= 1200
    assert (found["mean_steps_adapted"] < found["mean_steps_from_scratch_at_least"]) or not found["passed"]


@pytest.mark.slow  # trains, examines and exports
def test_specialisation_measures_what_it_gains_and_what_it_forgets(base: Path, tmp_path: Path) -> None:
    found = tried(
        tmp_path / "op",
        training_mode="task_specialization",
        base_model=str(base),
        environment={"id": "speaker_listener", "kwargs": {"damping": 0.5}},
    )["mode"]
    assert found["base_kl_weight"] > 0
    assert found["forgetting"] >= 0.0
    assert found["target_gain"]["value"] == pytest.approx(found["target_return_after"] - found["target_return_before"])


@pytest.mark.slow  # trains, examines and exports
def test_coordination_is_measured_against_independent_learners_without_a_channel(tmp_path: Path) -> None:
    found = tried(tmp_path / "op", training_mode="coordination", environment={"id": "simple_spread"}, seeds=2)
    assert found["mode"]["gain"]["value"] == pytest.approx(
        found["mode"]["return"] - found["mode"]["return_of_independent_learners"]
    )
    assert found["coordination_score"] is None
    assert "no link" in found["coordination_reason"]


@pytest.mark.slow  # trains, examines and exports
def test_collaboration_is_the_return_with_the_channel_less_that_without(tmp_path: Path) -> None:
    found = tried(tmp_path / "op", training_mode="multi_agent_collaboration")["mode"]
    assert found["roles"] == {"speaker": "coordinator", "listener": "specialist"}
    assert found["passed"] == (found["gain"]["1"]["low"] > 0)


@pytest.mark.slow  # trains, examines and exports
def test_a_training_begins_with_the_policies_of_its_base(base: Path, tmp_path: Path) -> None:
    tried(tmp_path / "op", base_model=str(base), learning_rate=1e-12, normalize_observations=False)
    before, after = load_saved_team(base / "artifacts").team, load_saved_team(tmp_path / "op" / "artifacts").team
    pairs = zip(before.named_parameters(), after.parameters(), strict=True)
    assert all(torch.allclose(one, other, atol=1e-8) for (_, one), other in pairs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training_mode": "behavior_adaptation"}, "needs a base_model"),
        ({"training_mode": "task_specialization"}, "needs a base_model"),
        ({"training_mode": "communication_protocols", "communication_protocols": []}, "needs a channel"),
        ({"training_mode": "coordination", "communication_protocols": ["direct"]}, "is without a channel"),
        ({"training_mode": "coordination", "coordination_strategy": "independent"}, "independent learners"),
    ],
)
def test_a_mode_without_what_its_test_needs_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSpec, match=message):
        AgentsConfig.model_validate({**SPEAKER, **changes})


def test_a_mode_that_its_task_cannot_show_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="needs a team"):
        tried(tmp_path / "one", training_mode="coordination", environment={"id": "CartPole-v1"})
    with pytest.raises(InvalidSpec, match="no link between them"):
        tried(tmp_path / "two", training_mode="multi_agent_collaboration", environment={"id": "simple_spread"})


@pytest.mark.parametrize("mode", COMPARED)
def test_a_training_that_was_stopped_is_not_compared(mode: str) -> None:
    config = AgentsConfig.model_validate({**SPEAKER, "base_model": "somewhere"}).model_copy(
        update={"training_mode": mode}
    )
    nothing: Any = None
    found = outcome(config, nothing, nothing, nothing, base=None, behavior={}, ended_by="stop")
    assert found is not None
    assert found["passed"] is None
    assert "stopped" in found["why"]


def test_skills_are_refused_by_name() -> None:
    with pytest.raises(NotYet, match="skill_acquisition"):
        AgentsConfig.model_validate({**SPEAKER, "training_mode": "skill_acquisition"})


@pytest.mark.slow  # trains, examines and exports
def test_a_base_that_is_none_or_does_not_fit_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=r"holds no agent_config\.json"):
        tried(tmp_path / "one", base_model=str(tmp_path))
    with pytest.raises(InvalidSpec, match="base_model does not fit"):
        tried(tmp_path / "two", base_model=str(base), hidden_size=12)


@pytest.mark.slow  # trains, examines and exports
def test_difficulty_moves_only_where_a_task_has_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="CartPole-v1 has none"):
        tried(tmp_path / "op", environment={"id": "CartPole-v1"}, task_complexity="basic")
    assert tried(tmp_path / "moves", task_complexity="basic")["success"]


def test_settings_of_a_mode_are_its_own_where_none_are_given() -> None:
    made = settled(AgentsConfig.model_validate({**SPEAKER, "training_mode": "coordination"}))
    assert list(made.communication_protocols) == []
    given = {**SPEAKER, "training_mode": "task_specialization", "base_model": "somewhere", "base_kl_weight": 0.5}
    assert settled(AgentsConfig.model_validate(given)).base_kl_weight == 0.5


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_is_a_valid_config(preset: str) -> None:
    assert AgentsConfig.model_validate({"preset": preset}).environment.id


def test_the_divergence_from_a_base_is_that_of_its_distributions() -> None:
    class Fixed:
        def __init__(self, scores: list[float]) -> None:
            self.scores, self.log_std = torch.tensor([[scores]]), None
            self.role = type("Role", (), {"heads": Heads(action=Discrete(num=2))})()

        def actor(self, rows: torch.Tensor) -> torch.Tensor:
            return self.scores.log()

    rows = Minibatch(**dict.fromkeys(Minibatch.__dataclass_fields__))
    moved = divergence(Fixed([0.25, 0.75]), Fixed([0.5, 0.5]), rows)
    assert moved.item() == pytest.approx(0.5 * (torch.log(torch.tensor(2.0)) + torch.log(torch.tensor(2 / 3))).item())
