"""Whole trainings by a worker: the contract, several models, failures with names, the real supervisor."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tutelage.core.commands import Verb
from tutelage.core.events import EventKind
from tutelage.core.training import VOLATILE
from tutelage.testing.contracts import ServiceContract
from tutelage.testing.workbench import Workbench

TINY = {"preset": "nano", "max_steps": 24, "eval_steps": 4, "save_steps": 4, "sample_steps": 0, "max_train_samples": 12}
MODULE = "tutelage.services.cognate:SERVICE"
ARTIFACTS = {
    "config.json",
    "download_summary.json",
    "memory_bank.safetensors",
    "model.safetensors",
    "parameter_breakdown.json",
    "pytorch_model.bin",
    "tokenizer.json",
    "training_log.jsonl",
    "training_stats.json",
}


@pytest.mark.slow  # ten trainings in processes of their own, each of which imports torch
class TestCognate(ServiceContract):
    service = MODULE
    config = TINY
    request = {"prompt": "import ", "max_new_tokens": 5}
    volatile = VOLATILE


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Workbench]:
    """A bench with TINY and the settings of the test's parameter."""
    config = {**TINY, **getattr(request, "param", {})}
    made = Workbench(tmp_path / "home", {"service": "cognate", "config": config, "seed": 7}, services={})
    yield made
    made.kill()


@pytest.mark.slow  # trains in a process of its own
def test_a_training_leaves_every_artifact_and_true_counts(bench: Workbench) -> None:
    bench.start()
    assert bench.ended() == 0, bench.log_tail()
    folder = bench.files.artifacts
    assert {path.name for path in folder.iterdir()} == ARTIFACTS
    stats = json.loads((folder / "training_stats.json").read_text())
    weights = load_file(folder / "model.safetensors")
    assert stats["parameter_count"] == sum(tensor.numel() for tensor in weights.values())
    assert stats["total_steps"] == 24
    assert stats["training_time"] > 0
    assert stats["validation"]["val_loss"] == stats["best_eval_loss"]
    assert stats["datasets_processed"] == {"stdlib:python": 12}
    log = [json.loads(line) for line in (folder / "training_log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == list(range(1, 25))
    assert all("train_loss" in line for line in log)
    summary = json.loads((folder / "download_summary.json").read_text())
    source = summary["sources"]["stdlib:python"]
    assert (len(source["sha256"]), source["licence"][:3]) == (64, "PSF")
    assert load_file(folder / "memory_bank.safetensors")["written"].sum() > 0
    points = {name: value for (_, name, step), value in bench.points().items() if step == 24}
    assert points["train_memory_reads"] > 0
    assert points["train_memory_writes"] > 0
    assert 1 <= points["train_ponder_steps"] <= 2


VARIANTS = {
    "max_steps": 8,
    "variants": {"all": {}, "broken": {"vocab_size": 100_000}, "no_act": {"act_enabled": False}},
}


@pytest.mark.slow  # trains two models twice in processes of their own
@pytest.mark.parametrize("bench", [VARIANTS], indirect=True)
def test_one_of_several_models_that_fails_stops_no_other(bench: Workbench) -> None:
    bench.start()
    assert bench.ended() == 0, bench.log_tail()
    result = bench.result()
    assert result["failed_models"] == ["broken"]
    assert "support only" in result["models"]["broken"]["error"]["message"]
    assert {scope for scope, _, _ in bench.points()} == {"model=all", "model=no_act"}
    table = (bench.files.artifacts / "models.md").read_text()
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:]] == ["all", "broken", "no_act"]
    for name in ("all", "no_act"):
        assert (bench.files.artifacts / name / "model.safetensors").is_file()
        assert bench.use({"prompt": "a", "model": name, "max_new_tokens": 3})["new_tokens"] <= 3
    assert bench.use({"prompt": "a", "model": "broken"})["error"]["code"] == "unknown_name"


@pytest.mark.slow  # trains two models twice in processes of their own
def test_killed_in_its_second_model_it_goes_on_there(tmp_path: Path) -> None:
    config = {**TINY, "max_steps": 8, "variants": {"all": {}, "no_ltm": {"ltm_enabled": False}}}
    spec = {"service": "cognate", "config": config, "seed": 7}
    calm, killed = (Workbench(tmp_path / name, spec, services={}) for name in ("calm", "killed"))
    calm.start()
    assert calm.ended() == 0, calm.log_tail()
    killed.start()
    killed.until(lambda: any(event.step and event.step > 8 for event in killed.events(EventKind.CHECKPOINT)))
    killed.kill()
    killed.start()
    assert killed.ended() == 0, killed.log_tail()
    assert lasting(killed) == lasting(calm)
    for name in ("all", "no_ltm"):
        ours, theirs = (load_file(bench.files.artifacts / name / "model.safetensors") for bench in (calm, killed))
        assert all(bool((tensor == theirs[key]).all()) for key, tensor in ours.items())


def lasting(bench: Workbench) -> dict[Any, str]:
    return {key: repr(value) for key, value in bench.points().items() if key[1] not in VOLATILE}


@pytest.mark.slow  # starts processes of their own
@pytest.mark.parametrize(
    ("bench", "code"),
    [
        ({"dataset_sources": ["GSM8K"]}, "source_missing"),
        ({"vocab_size": 90_000}, "invalid_spec"),
    ],
    indirect=["bench"],
)
def test_a_failure_has_its_name(bench: Workbench, code: str) -> None:
    bench.start()
    assert bench.ended() == 1
    assert bench.events(EventKind.ERROR)[-1].data["code"] == code


@pytest.mark.slow  # trains in a process of its own
def test_a_live_training_can_be_tuned(bench: Workbench) -> None:
    bench.start()
    bench.until(lambda: bench.events(EventKind.CHECKPOINT))
    bench.ask(Verb.TUNE, learning_rate=1e-4, max_steps=26)
    assert bench.ended() == 0, bench.log_tail()
    assert [event.data["status"] for event in bench.events(EventKind.APPLIED)] == ["applied"]
    assert bench.result()["total_steps"] == 26


@pytest.mark.slow  # trains under the real supervisor
def test_nano_from_the_command_line_to_a_text(home: Path, tmp_path: Path) -> None:
    tutelage = [sys.executable, "-m", "tutelage"]
    spec = json.dumps({"service": "cognate", "config": {"preset": "nano", "exports": ["huggingface"]}})
    target = tmp_path / "result.json"
    done = subprocess.run(
        [*tutelage, "train", spec, "--output", str(target)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(target.read_text())
    assert result["success"] is True
    assert result["best_eval_loss"] < 6.24, "better than knowing nothing, ln 512"
    command = [*tutelage, "generate", "last", "--prompt", "def ", "--max-new-tokens", "8", "--json"]
    asked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stdout + asked.stderr
    answer = json.loads(asked.stdout)["data"]
    assert answer["prompt"] == "def "
    assert 0 < answer["new_tokens"] <= 8
    [exported] = home.glob("operations/*/artifacts/huggingface/modeling_cognate.py")
    assert exported.stat().st_size > 0
