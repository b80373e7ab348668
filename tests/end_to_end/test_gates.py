"""Job documents in, result documents out: the dialects, gates, approvals and failures, through a real supervisor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from tests.support import end_processes

import tutelage.services.tabular as tabular
from tutelage.client import Client, connect
from tutelage.settings import Settings

pytestmark = pytest.mark.slow  # each trains a model in a process of its own
VALID = Draft202012Validator(json.loads((Path(tabular.__file__).parent / "result.schema.json").read_text()))
JOB: dict[str, Any] = {
    "task": "train_model",
    "modelType": "classification",
    "algorithm": "logistic_regression",
    "trainDataPath": "train.csv",
    "targetColumn": "y",
    "validationStrategy": {"type": "stratified_kfold", "folds": 2},
    "hyperparameterSearch": {"enabled": False},
}
SNAKE: dict[str, Any] = {
    "task": "train_model",
    "model_type": "classification",
    "algorithm": "logistic_regression",
    "train_data_path": "train.csv",
    "target_column": "y",
    "validation_strategy": {"type": "stratified_kfold", "folds": 2},
    "hyperparameter_search": {"enabled": False},
}
AGENT: dict[str, Any] = {
    "kind": "agent",
    "agent": {
        "prompt": {
            "task": "Train a classifier",
            "context": {"dataPath": "train.csv", "target": "y", "businessRequirement": "Minimize false negatives"},
            "instructions": ["Use logistic regression with 2 folds", "1 trial", "Sing a song"],
        }
    },
    "io": {"inputJsonPath": "in.json", "outputJsonPath": "out.json"},
}


class Place:
    """A folder with a table and a home; the command line runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        dice = np.random.default_rng(0)
        one, two = dice.normal(size=(2, 160))
        labels = np.where(one + two + dice.normal(0, 0.5, 160) > 0, "yes", "no")
        pd.DataFrame({"one": one, "two": two, "y": labels}).to_csv(folder / "train.csv", index=False)
        pd.DataFrame({"one": one, "two": two, "y": "yes"}).to_csv(folder / "constant.csv", index=False)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "TUTELAGE_HOME": str(self.home), "TUTELAGE_IDLE_S": "30"}
        command = [sys.executable, "-m", "tutelage", *arguments]
        return subprocess.run(command, env=env, cwd=self.folder, capture_output=True, text=True, timeout=200)

    def train(self, document: Any, *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
        """Train with --output; return how it went and the document, which is valid."""
        (self.folder / "in.json").write_text(json.dumps(document))
        (self.folder / "out.json").unlink(missing_ok=True)
        done = self.run("train", "in.json", "--output", "out.json", *arguments)
        written: dict[str, Any] = json.loads((self.folder / "out.json").read_text())
        VALID.validate(written)
        return done, written

    def submit(self, document: Any) -> str:
        (self.folder / "in.json").write_text(json.dumps(document))
        done = self.run("train", "in.json", "--json")
        assert done.returncode == 0, done.stderr
        found: str = json.loads(done.stdout)["id"]
        return found

    def client(self) -> Client:
        return connect(Settings(home=self.home))

    def asking(self, operation_id: str, *, attempts: int = 1) -> Any:
        """Wait until the operation waits for an approval, having made at least so many attempts."""
        deadline = time.monotonic() + 90
        with self.client() as client:
            while time.monotonic() < deadline:
                shown = client.operation(operation_id)
                waits = shown.waiting_for is not None and shown.waiting_for.kind == "approval"
                if shown.state == "paused" and waits and shown.attempt >= attempts:
                    return shown
                assert shown.state not in ("failed", "completed"), shown.error
        raise AssertionError("it did not ask")

    def kill_supervisor(self) -> None:
        os.kill(int(json.loads((self.home / "supervisor.json").read_text())["pid"]), signal.SIGKILL)

    def ended(self, operation_id: str) -> Any:
        with self.client() as client:
            return client.wait(operation_id, timeout_s=120).operation

    def artifacts(self, operation_id: str) -> set[str]:
        return {path.name for path in (self.home / "operations" / operation_id / "artifacts").iterdir()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("gates"))
    yield made
    end_processes(made.home)


@pytest.mark.parametrize("document", [JOB, SNAKE, AGENT], ids=["camelCase", "snake_case", "agent call"])
def test_every_dialect_comes_back_as_a_result_document(place: Place, document: dict[str, Any]) -> None:
    done, written = place.train(document)
    assert done.returncode == 0, done.stderr
    assert written["success"] is True
    assert written["metadata"]["algorithm"] == "logistic_regression"
    assert written["metrics"]["test"]["roc_auc"] > 0.8
    if document is AGENT:
        assert written["unrecognized"] == ["Sing a song"]
        assert written["metadata"]["threshold"]["optimizeFor"] == "recall"
        assert written["metadata"]["validation"]["folds"] == 2


@pytest.mark.parametrize(
    ("change", "exit_code", "code"),
    [
        ({"trainDataPath": "none.csv"}, 1, "data_unreadable"),
        ({"trainDataPath": "constant.csv"}, 1, "one_class"),
        ({"algorithm": "logstic"}, 2, "unknown_name"),
        ({"gates": {"quality": "high"}}, 2, "invalid_spec"),
        ({"modelType": "time_series"}, 2, "not_yet"),
    ],
)
def test_a_failure_is_written_too(place: Place, change: dict[str, Any], exit_code: int, code: str) -> None:
    done, written = place.train({**JOB, **change})
    assert done.returncode == exit_code, done.stderr
    assert (written["success"], written["error"]["code"]) == (False, code)
    assert written["error"]["hint"]
    assert written["suggestions"] == [written["error"]["hint"]]


def test_an_unmet_gate_gives_exit_code_3_and_is_named(place: Place) -> None:
    gates = {"test.roc_auc": "> 1", "cv_std": "< 0.5", "quality": ">= 50"}
    done, written = place.train({**JOB, "gates": gates})
    assert done.returncode == 3
    assert "test.roc_auc is" in done.stdout
    assert "cv_std" not in done.stdout
    assert [(gate["name"], gate["met"]) for gate in written["gates"]] == [
        ("test.roc_auc", False),
        ("cv_std", True),
        ("quality", True),
    ]
    assert written["gatesMet"] is False
    for arguments in (("wait", "last"), ("wait", "last", "--json"), ("follow", "last")):
        again = place.run(*arguments)
        assert again.returncode == 3, again.stderr
        assert "test.roc_auc" in again.stdout
    as_json, _ = place.train({**JOB, "gates": gates}, "--json")
    assert as_json.returncode == 3
    shown = json.loads(as_json.stdout)
    assert (shown["state"], shown["result"]["gatesMet"]) == ("completed", False)


def test_met_gates_give_exit_code_0(place: Place) -> None:
    done, written = place.train({**JOB, "gates": {"test.roc_auc": ">= 0.5", "test_drop": "<= 0.9"}})
    assert (done.returncode, written["gatesMet"]) == (0, True)
    assert "Not met" not in done.stdout


def test_an_approval_survives_kills_and_releases_what_was_tested(place: Place) -> None:
    made = place.submit({**JOB, "approval": True})
    asked = place.asking(made)
    assert asked.waiting_for.until is not None
    assert "Release the model?" in asked.waiting_for.detail
    assert asked.attention
    before = place.artifacts(made)
    assert "evaluation.json" in before
    assert "model.joblib" not in before
    place.kill_supervisor()
    assert place.asking(made).attempt == 1
    assert place.run("resume", made, "--reason", "impatient").returncode == 0
    again = place.asking(made, attempts=2)
    assert again.waiting_for.until == about(asked.waiting_for.until)
    assert place.run("approve", made, "--reason", "looks right").returncode == 0
    place.kill_supervisor()
    done = place.ended(made)
    assert (done.state, done.stopped_early) == ("completed", False)
    VALID.validate(done.result)
    assert done.result["approval"]["approved"] is True
    assert done.result["approval"]["reason"] == "looks right"
    with place.client() as client:
        decisions = {item.verb: item for item in client.decisions(made)}
        assert decisions["approve"].id == done.result["approval"]["decision"]
        assert decisions["approve"].status == "applied"
        assert client.verify_ledger().first_broken is None
    assert place.run("predict", made, "train.csv", "-o", "said.csv").returncode == 0


def test_a_refusal_before_the_release_leaves_the_figures_and_no_model(place: Place) -> None:
    made = place.submit({**JOB, "approval": {"before": "release", "deadlineS": 600}, "gates": {"cv_std": "< 1"}})
    place.asking(made)
    assert place.run("reject", made, "--reason", "too weak").returncode == 0
    done = place.ended(made)
    assert (done.state, done.stopped_early) == ("completed", True)
    VALID.validate(done.result)
    assert (done.result["modelPath"], done.result["gatesMet"]) == (None, True)
    assert done.result["metrics"]["test"]["roc_auc"] > 0.8
    assert not (place.home / "operations" / made / "withheld").exists()
    assert not {name for name in place.artifacts(made) if name.startswith("model.")}
    waited = place.run("wait", made)
    assert waited.returncode == 3
    assert "too weak" in waited.stdout
    refused = place.run("predict", made, "train.csv")
    assert refused.returncode != 0
    assert "released no model" in refused.stderr


def test_no_answer_before_the_final_fit_ends_the_run_without_it(place: Place) -> None:
    made = place.submit({**JOB, "approval": {"before": "final", "deadlineS": 1}})
    done = place.ended(made)
    assert (done.state, done.stopped_early) == ("completed", True)
    VALID.validate(done.result)
    assert done.result["metrics"]["test"] == {}
    assert done.result["metrics"]["crossValidation"]["roc_auc_mean"] > 0.8
    assert done.result["approval"]["approved"] is False
    assert place.artifacts(made) == set()
    with place.client() as client:
        (decision,) = client.decisions(made)
        assert (decision.verb, decision.principal.name) == ("reject", "supervisor")


def test_a_yes_to_the_final_fit_holds_over_a_killed_worker(place: Place) -> None:
    made = place.submit({**JOB, "approval": {"before": "final"}})
    asked = place.asking(made)
    assert "Train the final model?" in asked.waiting_for.detail
    assert place.run("approve", made, "--reason", "go").returncode == 0
    pid_file = place.home / "operations" / made / "worker.pid"
    with place.client() as client:
        client.wait(made, until="phase", timeout_s=60)
        os.kill(int(json.loads(pid_file.read_text())["pid"]), signal.SIGKILL)
    done = place.ended(made)
    assert done.state == "completed", done.error
    assert done.attempt == 3
    assert done.result["approval"] == {**done.result["approval"], "approved": True, "reason": "go"}
    assert done.result["modelPath"] == "artifacts/model.joblib"


def test_a_stop_does_not_stand_for_a_yes(place: Place) -> None:
    search = {"nTrials": 3000, "sampler": "random", "pruner": "none"}
    made = place.submit({**JOB, "approval": True, "hyperparameterSearch": search})
    with place.client() as client:
        client.wait(made, until="step>=1", timeout_s=60)
    assert place.run("stop", made, "--reason", "enough").returncode == 0
    asked = place.asking(made)
    assert asked.stopped_early
    assert place.run("approve", made, "--reason", "fine").returncode == 0
    done = place.ended(made)
    assert (done.state, done.stopped_early) == ("completed", True)
    assert done.result["metadata"]["stoppedEarly"] is True
    assert done.result["modelPath"] == "artifacts/model.joblib"
    with place.client() as client:
        assert [(item.verb, item.status) for item in client.decisions(made)] == [
            ("stop", "applied"),
            ("approve", "applied"),
        ]


def about(text: str) -> Any:
    """Return what equals a moment up to half a second: the time left is measured anew when it is asked again."""
    wanted = pd.Timestamp(text)

    class Near:
        def __eq__(self, other: object) -> bool:
            return abs((pd.Timestamp(str(other)) - wanted).total_seconds()) < 0.5

        __hash__ = None  # type: ignore[assignment]

    return Near()
