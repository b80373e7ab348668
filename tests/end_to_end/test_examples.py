"""Every example runs as its own text says, at its smallest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TUTELAGE = [sys.executable, "-m", "tutelage"]
SMALLEST = {
    "wine.json": ("hyperparameterSearch.nTrials=2", "validationStrategy.folds=2"),
    "breast_cancer.yaml": ("hyperparameterSearch.nTrials=2", "validationStrategy.folds=2"),
}

LANGUAGE_MODELS = {
    "pretrain-stdlib.yaml": ("preset=nano",),
    "cognate-ablation.yaml": ("preset=nano", "max_steps=4"),
    "reasoning.yaml": ("preset=nano", 'dataset_sources=["GSM8K","SVAMP","HotpotQA"]', "max_steps=4"),
}
POLICIES = {
    "cartpole.yaml": ("preset=nano", "max_steps=4096", "seeds=2"),
    "speaker-listener.yaml": ("max_steps=3200", "seeds=2", "evaluation_episodes=5", "final_episodes=10"),
}
ACTS: dict[str, tuple[list[str], str, int]] = {
    "cartpole.yaml": ([], "[0.01, 0.0, 0.02, 0.0]", 2),
    "speaker-listener.yaml": (["--agent", "listener"], str([0.1] * 8), 5),
}
"""What a finished policy is asked: the agent, what it sees, and how many actions it has."""
CODE_MODELS = {
    f"codegen-{preset}.toml": (
        "preset=tiny",
        "data.num_programs=64",
        "data.num_held_out=4",
        "training.max_steps=4",
        "training.eval_steps=2",
        "training.eval_prompts=2",
        "resources.gpus=0",
        "resources.cpus=1",
        "resources.memory_gib=4",
    )
    for preset in ("tiny", "small", "fast")
}
NEEDS_QUESTIONS = "reasoning.yaml"


def test_every_spec_has_its_smallest_form_here() -> None:
    specs = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".json", ".yaml", ".toml")}
    assert specs == {*SMALLEST, *LANGUAGE_MODELS, *POLICIES, *CODE_MODELS}


def trained(name: str, changes: tuple[str, ...], tmp_path: Path) -> dict[str, Any]:
    """Train an example by the command line with some settings changed; return its result document."""
    target = tmp_path / "result.json"
    overrides = [part for change in changes for part in ("--set", change)]
    command = [*TUTELAGE, "train", str(EXAMPLES / name), "--output", str(target), *overrides]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(target.read_text())
    return document


def has_model(home: Path, result: dict[str, Any]) -> bool:
    [model] = home.glob("operations/*/" + result["modelPath"])
    return model.stat().st_size > 0


@pytest.mark.slow  # trains for real: 10 s each
@pytest.mark.parametrize("name", sorted(SMALLEST))
def test_an_example_trains_a_model(name: str, home: Path, tmp_path: Path) -> None:
    result = trained(name, SMALLEST[name], tmp_path)
    assert result["success"] is True
    assert result["metrics"]["test"]
    assert has_model(home, result)


@pytest.mark.slow  # trains for real, in processes of their own
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.needs_shared_data] if name == NEEDS_QUESTIONS else [])
        for name in sorted(LANGUAGE_MODELS)
    ],
)
def test_an_example_trains_a_language_model(name: str, home: Path, tmp_path: Path) -> None:
    changes = (*LANGUAGE_MODELS[name], "resources.cpus=1")
    if name == NEEDS_QUESTIONS:
        changes = (*changes, f"data_dir={os.environ['TUTELAGE_TEST_DATA']}/lm")
    result = trained(name, changes, tmp_path)
    assert result["success"] is True
    assert has_model(home, result)


@pytest.mark.slow  # trains for real, in processes of their own
@pytest.mark.parametrize("name", sorted(CODE_MODELS))
def test_an_example_trains_a_code_model(name: str, home: Path, tmp_path: Path) -> None:
    result = trained(name, CODE_MODELS[name], tmp_path)
    assert result["status"] == "verified"
    assert has_model(home, result)


@pytest.mark.slow  # trains for real, in a process of its own
@pytest.mark.parametrize("name", sorted(POLICIES))
def test_an_example_trains_policies(name: str, home: Path, tmp_path: Path) -> None:
    result = trained(name, POLICIES[name], tmp_path)
    assert result["reward"] > result["baseline_random"]
    agent, observation, actions = ACTS[name]
    act = [*TUTELAGE, "act", "last", *agent, "-o", observation]
    acted = subprocess.run(act, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(acted.stdout)["action"] in range(actions)


def test_a_service_of_ones_own_trains(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTELAGE_SERVICES", '{"darts": "own_service:SERVICE"}')
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES)}
    target = tmp_path / "result.json"
    command = [*TUTELAGE, "train", '{"service": "darts", "config": {"batches": 30}}', "--output", str(target)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert abs(json.loads(target.read_text())["estimate"] - 3.1416) < 0.05


@pytest.mark.slow  # trains for real, in processes of their own
def test_a_plain_script_is_watched_and_judged(home: Path, tmp_path: Path) -> None:
    script = EXAMPLES / "script" / "gradient_descent.py"
    command = [*TUTELAGE, "run", "--json", "--", sys.executable, str(script)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    operation = json.loads(done.stdout)
    assert operation["state"] == "completed"
    assert operation["metrics"]["best"]["metric"] == "val_loss"
    assert operation["assessment"]["verdict"] == "finished"
