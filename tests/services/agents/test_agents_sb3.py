"""`backend: sb3`: what it takes, and trainings of a few thousand steps by Stable-Baselines3's own algorithms."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tutelage.core.commands import Command, Verb
from tutelage.core.errors import InvalidSpec, MissingDependency, UnknownName
from tutelage.core.layout import OperationFiles
from tutelage.run import FileRun
from tutelage.services.agents import SERVICE
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.config.sb3 import given
from tutelage.services.agents.train import train

TINY: dict[str, Any] = {
    "backend": "sb3",
    "max_steps": 1500,
    "num_evaluations": 2,
    "evaluation_episodes": 3,
    "final_episodes": 5,
}
PPO: dict[str, Any] = {**TINY, "num_copies": 4, "rollout_steps": 64, "batch_size": 64, "hidden_size": 16}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"sb3_algorithm": "DQN", "epochs": 3}, "epochs"),
        ({"sb3_algorithm": "SAC", "exploration_rate": 0.1}, "exploration_rate"),
        ({"exploration_rate": 0.1}, "exploration_rate"),
        ({"normalize_observations": True}, "normalize_observations"),
        ({"training_mode": "coordination"}, "training_mode"),
        ({"policy": "attention"}, "policy"),
        ({"coordination_strategy": "independent"}, "coordination_strategy"),
        ({"preset": "cartpole"}, "normalize|exploration"),
        ({"max_steps": None}, "max_steps None"),
        ({"seeds": 2}, "one seed"),
        ({"seeds": [3, 4]}, "one seed"),
    ],
)
def test_a_setting_that_does_not_count_is_refused_by_name(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidSpec, match=named):
        AgentsConfig.model_validate({**TINY, **settings})


def test_an_algorithm_without_the_backend_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="sb3_algorithm"):
        AgentsConfig.model_validate({"sb3_algorithm": "DQN"})


def test_only_what_is_given_is_passed_on() -> None:
    assert given(AgentsConfig.model_validate(TINY)) == {}
    same = {"normalize_observations": False, "training_mode": "reward", "policy": "mlp"}
    assert given(AgentsConfig.model_validate({**TINY, **same, "epochs": 3})) == {"epochs": 3}


class Asked(FileRun):
    """A run in a folder of its own that is asked for something once some episodes have ended."""

    def __init__(self, folder: Path, *, attempt: int = 1, verb: Verb | None = None, after: int = 20) -> None:
        files = OperationFiles(folder)
        files.root.mkdir(parents=True, exist_ok=True)
        files.commands.touch()
        super().__init__(files=files, service=SERVICE, attempt=attempt, seed=1)
        self.files, self.told = files, dict[str, list[tuple[int, float]]]()
        self.answers: list[str] = []
        self._verb, self._after = verb, after

    def metric(self, step: int, values: Mapping[str, float] | None = None, /, **named: float) -> None:
        for name, value in {**(values or {}), **named}.items():
            self.told.setdefault(name, []).append((step, value))
        super().metric(step, values, **named)

    def next_command(self) -> Command | None:
        self._after -= 1
        if self._after > 0 or self._verb is None:
            return None
        verb, self._verb = self._verb, None
        return Command(id="c1", verb=verb, args={"learning_rate": 1.0} if verb is Verb.TUNE else {})

    def applied(self, command: Command, *, step: int | None = None, detail: str = "") -> None:
        self.answers.append(f"applied {command.verb}")

    def refused(self, command: Command, *, reason: str) -> None:
        self.answers.append(reason)


def ran(run: Asked, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    run.begin()
    try:
        return train(AgentsConfig.model_validate(settings), run)
    finally:
        run.close()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    pytest.importorskip("stable_baselines3")
    run = Asked(tmp_path_factory.mktemp("sb3") / "op")
    found = ran(run, PPO)
    assert found is not None
    assert found["success"]
    return run


def test_a_training_leaves_its_zip_and_our_documents(trained: Asked) -> None:
    folder = trained.files.artifacts
    assert {path.name for path in folder.iterdir()} == {
        "sb3_model.zip",
        "agent_config.json",
        "behavior_policy.json",
        "training_stats.json",
    }
    about = json.loads((folder / "agent_config.json").read_text())
    assert about["backend"].startswith("stable_baselines3 ")
    assert (about["algorithm"], about["config"]) == ("PPO", PPO)
    stats = json.loads((folder / "training_stats.json").read_text())
    assert PPO["max_steps"] <= stats["env_steps"] < PPO["max_steps"] + 4 * 64
    assert stats["parameters"]["actor"] == (4 * 16 + 16) + 3 * (16 * 16 + 16) + (16 * 2 + 2)


def test_its_metrics_are_ours_and_their_step_is_the_episode(trained: Asked) -> None:
    told = trained.told
    assert {"reward", "success_rate", "episode_length", "eval_reward", "approx_kl", "entropy", "lr"} <= set(told)
    steps = [step for step, _ in told["reward"]]
    assert steps == sorted(set(steps))
    assert (
        told["reward"][-1][0]
        == json.loads((trained.files.artifacts / "training_stats.json").read_text())["total_episodes"][0]
    )
    lengths = np.array([value for _, value in told["episode_length"]])
    assert np.allclose(lengths, [value for _, value in told["reward"]])  # CartPole: a reward of 1 a step
    assert len(told["eval_reward"]) >= 2


def test_the_restored_agent_reproduces_its_recorded_evaluation_and_acts(trained: Asked) -> None:
    from tutelage.services.agents.evaluation.evaluate import evaluation_document
    from tutelage.services.agents.sb3.playing import final
    from tutelage.services.agents.sb3.use import SavedModel
    from tutelage.services.agents.use import read_request, use

    saved = SavedModel(trained.files.artifacts)
    recorded = json.loads((trained.files.artifacts / "behavior_policy.json").read_text())["evaluation"]
    assert evaluation_document(final(saved.model, saved.config, saved.seed), [saved.seed]) == recorded
    answers: list[Mapping[str, Any]] = []
    rows = [[0.0, 0.1, 0.02, -0.1], [0.0, 0.1, -0.2, -0.1]]
    asked = [{"observation": rows[0]}, {"observation": rows, "sample": True, "draw_seed": 3}]
    config = AgentsConfig.model_validate(PPO)
    use(trained.files.root, config, iter([*asked, asked[1]]), answers.append)
    assert answers[0]["agent"] == "agent"
    assert answers[0]["action"] in (0, 1)
    assert len(answers[1]["action"]) == 2
    assert answers[1] == answers[2]
    with pytest.raises(InvalidSpec, match="memory"):
        saved.answer(read_request({"observation": rows[0], "memory": [0.0]}))
    with pytest.raises(UnknownName):
        saved.answer(read_request({"observation": rows[0], "agent": "other"}))


@pytest.mark.parametrize(("verb", "leaves"), [(Verb.PAUSE, True), (Verb.CANCEL, True), (Verb.STOP, False)])
def test_a_command_is_obeyed_where_an_episode_has_ended(tmp_path: Path, verb: Verb, leaves: bool) -> None:
    run = Asked(tmp_path / "op", verb=verb)
    found = ran(run, PPO)
    assert run.answers == [f"applied {verb}"]
    assert (found is None) == leaves
    if found is not None:
        assert found["ended_by"] == "stop"
        assert found["env_steps"] < PPO["max_steps"]


def test_a_checkpoint_is_the_librarys_own_and_tuning_is_refused(tmp_path: Path) -> None:
    run = Asked(tmp_path / "op", verb=Verb.CHECKPOINT)
    ran(run, PPO)
    assert run.answers == ["applied checkpoint"]
    kept = sorted(run.files.checkpoints.glob("*/sb3_model.zip"))
    assert kept
    tuned = Asked(tmp_path / "tuned", verb=Verb.TUNE)
    ran(tuned, PPO)
    assert "does not hear tune" in tuned.answers[0]


@pytest.mark.parametrize("algorithm", ["PPO", "DQN"])
def test_a_paused_training_goes_on_with_its_counters(tmp_path: Path, algorithm: str) -> None:
    settings = PPO if algorithm == "PPO" else {**TINY, "sb3_algorithm": "DQN", "exploration_rate": 0.2}
    first = Asked(tmp_path / "op", verb=Verb.PAUSE)
    assert ran(first, settings) is None
    second = Asked(tmp_path / "op", attempt=2)
    found = ran(second, settings)
    assert found is not None
    assert found["ended_by"] == "max_steps"
    assert found["env_steps"] >= settings["max_steps"]
    paused_at = first.told["reward"][-1][0]
    assert second.told["reward"][0][0] > paused_at


def test_exploration_rate_is_dqns_epsilon() -> None:
    from tutelage.services.agents.sb3.models import make_model

    config = AgentsConfig.model_validate({**TINY, "sb3_algorithm": "DQN", "exploration_rate": 0.2})
    model = make_model(config, 1, trains=False)
    assert model.exploration_final_eps == 0.2
    model.get_env().close()


def test_sac_learns_vectors_and_comes_back_with_its_temperature(tmp_path: Path) -> None:
    from tutelage.services.agents.sb3.use import SavedModel

    settings = {
        **TINY,
        "sb3_algorithm": "SAC",
        "environment": {"id": "Pendulum-v1", "kwargs": {"max_steps": 50}},
        "max_steps": 200,
        "hidden_size": 8,
        "num_layers": 1,
        "batch_size": 16,
    }
    run = Asked(tmp_path / "op")
    found = ran(run, settings)
    assert found is not None
    assert found["total_episodes"] == [4]
    saved = SavedModel(run.files.artifacts)
    assert saved.model.log_ent_coef.item() != 0.0
    from tutelage.services.agents.use import read_request

    action = saved.answer(read_request({"observation": [1.0, 0.0, 0.0]}))["action"]
    assert len(action) == 1
    assert -2.0 <= action[0] <= 2.0


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"environment": {"id": "speaker_listener"}}, "one agent"),
        ({"sb3_algorithm": "SAC"}, "vectors within bounds"),
        ({"sb3_algorithm": "DQN", "environment": {"id": "Pendulum-v1"}}, "one of several"),
        ({"max_parameters": 100}, "max_parameters"),
    ],
)
def test_a_task_that_does_not_suit_is_refused(tmp_path: Path, settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidSpec, match=reason):
        ran(Asked(tmp_path / "op"), {**TINY, **settings})


def test_without_the_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    with pytest.raises(MissingDependency, match="Stable-Baselines3") as raised:
        ran(Asked(tmp_path / "op"), TINY)
    assert "tutelage[sb3]" in raised.value.hint
