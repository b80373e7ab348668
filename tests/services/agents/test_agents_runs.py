"""Whole trainings by a worker: the contract, the artifacts, the recorded evaluation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tutelage.core.commands import Verb
from tutelage.core.events import EventKind
from tutelage.services.agents.artifacts import load_saved_team
from tutelage.services.agents.evaluation.evaluate import evaluation_document, final
from tutelage.services.agents.use import answer, read_request
from tutelage.testing.contracts import ServiceContract
from tutelage.testing.workbench import Workbench

TINY = {"preset": "nano", "seeds": 2}
pytestmark = pytest.mark.slow  # trains in processes of their own, each of which imports torch
ARTIFACTS = {
    "agent_agent.onnx",
    "agent_config.json",
    "agent_weights.pt",
    "agent_weights.safetensors",
    "behavior_policy.json",
    "episode.gif",
    "training_stats.json",
    "trajectory.json",
}


class TestAgents(ServiceContract):
    service = "tutelage.services.agents:SERVICE"
    config = TINY
    request = {"observation": [0.0, 0.1, 0.02, -0.1]}
    volatile = frozenset({"steps_per_s"})


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A completed training."""
    spec = {"service": "agents", "config": TINY, "seed": 7}
    made = Workbench(tmp_path_factory.mktemp("agents") / "home", spec, services={})
    made.start()
    assert made.ended() == 0, made.log_tail()
    yield made
    made.kill()


def test_a_training_leaves_every_artifact_and_true_counts(bench: Workbench) -> None:
    folder = bench.files.artifacts
    assert {path.name for path in folder.iterdir()} == ARTIFACTS
    weights = load_file(folder / "agent_weights.safetensors")
    plain = torch.load(folder / "agent_weights.pt", weights_only=True)
    assert all(torch.equal(tensor, plain[name]) for name, tensor in weights.items())
    config = json.loads((folder / "agent_config.json").read_text())
    counted = sum(tensor[0].numel() for name, tensor in weights.items() if ".actor." in name)
    assert config["roles"][0]["parameters"]["actor"] == counted
    assert (config["seeds"], config["environment"]["id"]) == ([7, 8], "CartPole-v1")
    stats = json.loads((folder / "training_stats.json").read_text())
    assert stats["env_steps"] == 8192
    assert stats["total_episodes"] == bench.result()["total_episodes"]


def test_the_restored_agent_reproduces_its_recorded_evaluation_exactly(bench: Workbench) -> None:
    recorded = json.loads((bench.files.artifacts / "behavior_policy.json").read_text())["evaluation"]
    saved = load_saved_team(bench.files.artifacts)
    again = evaluation_document(final(saved.team, saved.config, saved.seeds), saved.seeds)
    assert again == recorded


def test_onnx_gives_equal_outputs(bench: Workbench) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(bench.files.artifacts / "agent_agent.onnx"))
    rows = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    (outputs,) = session.run(None, {"observation": rows})
    saved = load_saved_team(bench.files.artifacts)
    odds = answer(saved, read_request({"observation": rows.tolist()}))["odds"]
    np.testing.assert_allclose(np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True), odds, atol=1e-6)


def test_seeds_have_scopes_of_their_own_and_their_mean_is_the_operations(bench: Workbench) -> None:
    points = bench.points()
    assert {scope for scope, _, _ in points if not scope.startswith("system")} >= {"", "seed=7", "seed=8"}
    mean, *each = [_last(points, scope, "eval_reward") for scope in ("", "seed=7", "seed=8")]
    assert mean == pytest.approx(sum(each) / 2)


def _last(points: dict[tuple[str, str, int], float], scope: str, metric: str) -> float:
    return points[(scope, metric, max(step for at, name, step in points if (at, name) == (scope, metric)))]


def test_a_stop_keeps_the_best_and_completes(tmp_path: Path) -> None:
    config = {**TINY, "max_steps": 10_000_000, "num_evaluations": 10_000}
    bench = Workbench(tmp_path / "home", {"service": "agents", "config": config, "seed": 7}, services={})
    try:
        bench.start()
        bench.until(lambda: len(bench.events(EventKind.CHECKPOINT)) >= 3)
        bench.ask(Verb.TUNE, learning_rate=1e-4, entropy_coefficient=0.01)
        bench.ask(Verb.STOP)
        assert bench.ended() == 0, bench.log_tail()
        answers = [(event.data["verb"], event.data["status"]) for event in bench.events(EventKind.APPLIED)]
        assert answers == [("tune", "applied"), ("stop", "applied")]
        result = bench.result()
        assert result["ended_by"] == "stop"
        assert result["evaluation"]["greedy"]["return"] > 0
    finally:
        bench.kill()
