"""The main job on a real table, by the command line: train, kill, predict."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from tests.support import end_processes

from tutelage.client import connect
from tutelage.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.needs_shared_data]  # thirty trials of five folds, several times
NUM_TRIALS = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the job document and the split of a real table as two files."""
    made = tmp_path_factory.mktemp("telco")
    table = pd.read_csv(Path(os.environ["TUTELAGE_TEST_DATA"]) / "tabular" / "telco_churn.csv")
    train, test = train_test_split(table, test_size=0.2, random_state=0, stratify=table["Churn"])
    train.to_csv(made / "train.csv", index=False)
    test.to_csv(made / "test.csv", index=False)
    job = {
        "task": "train_model",
        "modelType": "classification",
        "algorithm": "lightgbm",
        "trainDataPath": "train.csv",
        "testDataPath": "test.csv",
        "targetColumn": "Churn",
        "validationStrategy": {"type": "stratified_kfold", "folds": 5, "shuffle": True},
        "hyperparameterSearch": {"enabled": True, "nTrials": NUM_TRIALS, "sampler": "tpe", "pruner": "median"},
        "experimentTracking": {"enabled": False},
        "options": {"earlyStoppingRounds": 10, "verbosity": 1},
    }
    (made / "job.json").write_text(json.dumps(job))
    yield made
    end_processes(made / "home")


def tutelage(*arguments: str, home: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "TUTELAGE_HOME": str(home), "TUTELAGE_IDLE_S": "3"}
    return subprocess.run(
        [sys.executable, "-m", "tutelage", *arguments], env=env, cwd=cwd, capture_output=True, text=True, timeout=280
    )


@pytest.fixture(scope="module")
def trained(folder: Path) -> dict[str, Any]:
    """The undisturbed run's result."""
    done = tutelage("train", "job.json", "--output", "result.json", home=folder / "home", cwd=folder)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return document


def test_the_job_document_becomes_the_result_document(trained: dict[str, Any], folder: Path) -> None:
    assert trained["success"] is True
    assert trained["metrics"]["test"]["roc_auc"] >= 0.845
    assert trained["metadata"]["nTrials"] == NUM_TRIALS
    assert trained["experiment"]["status"] == "disabled"
    operation = next((folder / "home" / "operations").iterdir())
    assert all((operation / name).exists() for name in trained["artifacts"])
    assert json.loads((operation / "result.json").read_text()) == trained


def test_predict_in_a_new_process_reproduces_the_test_metrics_exactly(trained: dict[str, Any], folder: Path) -> None:
    done = tutelage("predict", "last", "test.csv", "-o", "out.csv", home=folder / "home", cwd=folder)
    assert done.returncode == 0, done.stderr
    with (folder / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    truth = pd.read_csv(folder / "test.csv")["Churn"] == "Yes"
    column = next(name for name in rows[0] if name.endswith("Yes"))
    shares = [float(row[column]) for row in rows]
    assert roc_auc_score(truth, shares) == trained["metrics"]["test"]["roc_auc"]
    assert log_loss(truth, shares) == pytest.approx(trained["metrics"]["test"]["log_loss"], abs=1e-12)


def test_ten_kills_at_random_moments_change_nothing(trained: dict[str, Any], folder: Path) -> None:
    home = folder / "killed"
    submitted = tutelage("train", "job.json", "--set", "policy.max_restarts=10", "--json", home=home, cwd=folder)
    operation_id = json.loads(submitted.stdout)["id"]
    pid_file = home / "operations" / operation_id / "worker.pid"
    client = connect(Settings(home=home))
    draw = random.Random(3)
    kills = 0
    try:
        while kills < 10 and client.operation(operation_id).state != "completed":
            client.wait(operation_id, until="step>=1000000", timeout_s=draw.uniform(0.3, 5.0))
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int(json.loads(pid_file.read_text())["pid"]), signal.SIGKILL)
                kills += 1
        done = client.wait(operation_id, timeout_s=200).operation
        assert done.state == "completed", done.error
        result = done.result
        assert result is not None
        assert kills == 10
        assert result["metadata"]["nTrials"] == NUM_TRIALS
        assert result["metadata"]["bestTrialNumber"] == trained["metadata"]["bestTrialNumber"]
        assert result["bestParams"] == trained["bestParams"]
        for part in ("test", "crossValidation"):
            assert result["metrics"][part] == trained["metrics"][part]
        shown = client.metrics(operation_id, points=2000)
        assert shown.steps == list(range(NUM_TRIALS))
        events = client.events(operation_id, limit=10_000).items
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
    finally:
        client.close()
        end_processes(home)
