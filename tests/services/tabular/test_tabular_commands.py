from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from tabular_support import Operation, fit_child_of, job, trials_seen

MANY = {"algorithm": "lightgbm", "hyperparameterSearch": {"nTrials": 5000, "pruner": "none"}}
pytestmark = pytest.mark.slow  # each starts a worker, which imports the learners in two seconds


def answers(operation: Operation, attempt: int = 1) -> list[tuple[str, str]]:
    return [(event["d"]["verb"], event["d"]["status"]) for event in operation.events(attempt, "applied")]


def started(home: Path, table: Path, **more: Any) -> tuple[Operation, Any]:
    operation = Operation.create(home, job(table, **{**MANY, **more}))
    worker = operation.start()
    operation.wait_for(trials_seen(2))
    return operation, worker


def test_stop_ends_the_search_and_finishes_well(home: Path, small_csv: Path) -> None:
    operation, worker = started(home, small_csv)
    operation.command("stop")
    assert worker.wait(60) == 0
    metadata = operation.result["metadata"]
    assert metadata["stoppedEarly"]
    assert 2 <= metadata["nTrials"] < 5000
    assert operation.result["metrics"]["test"]["roc_auc"] > 0.7
    assert answers(operation) == [("stop", "applied")]


def test_a_branch_of_a_stopped_search_goes_on_and_shows_what_it_began_with(home: Path, small_csv: Path) -> None:
    operation, worker = started(home, small_csv)
    operation.command("stop")
    assert worker.wait(60) == 0
    num_done = operation.result["metadata"]["nTrials"]
    search = {**MANY["hyperparameterSearch"], "nTrials": num_done + 2}
    branch = Operation.create(home, job(small_csv, **{**MANY, "hyperparameterSearch": search}))
    shutil.copytree(operation.files.checkpoints, branch.files.checkpoints)
    assert branch.run() == 0
    assert branch.result["metadata"]["nTrials"] == num_done + 2
    assert not branch.result["metadata"]["stoppedEarly"]
    told = {step for scope, step, name, _ in branch.metrics() if scope == "" and name == "roc_auc"}
    assert set(range(num_done)) <= told


def test_pause_keeps_the_trial_and_the_next_attempt_goes_on(home: Path, small_csv: Path) -> None:
    operation, worker = started(home, small_csv)
    operation.command("pause")
    assert worker.wait(60) == 0
    assert not operation.files.result.exists()
    assert operation.events(kind="state")[-1]["d"]["state"] == "paused"
    newest = max(int(path.name) for path in operation.files.checkpoints.iterdir())
    state = json.loads((operation.files.checkpoints / str(newest) / "state.json").read_text())
    operation.files.commands.unlink()
    resumed = operation.start(2)
    operation.wait_for(trials_seen(state["num_trials"] + 1, attempt=2), attempt=2)
    operation.command("stop")
    assert resumed.wait(60) == 0
    assert operation.result["metadata"]["nTrials"] > state["num_trials"]


def test_cancel_is_quick_even_in_a_hung_fit(home: Path, small_csv: Path) -> None:
    operation, worker = started(home, small_csv)
    os.kill(fit_child_of(worker.pid), signal.SIGSTOP)
    operation.command("cancel")
    assert worker.wait(3) == 0
    assert operation.events(kind="state")[-1]["d"]["state"] == "cancelled"
    assert answers(operation) == [("cancel", "applied")]


def test_tune_changes_the_budget_and_refuses_what_cannot_be_tuned(home: Path, small_csv: Path) -> None:
    operation, worker = started(home, small_csv)
    operation.command("tune", sampler="random")
    operation.command("tune", n_trials=0)
    done = max(event["d"]["done"] for event in operation.events(kind="progress"))
    operation.command("tune", n_trials=done + 4)
    assert worker.wait(60) == 0
    assert operation.result["metadata"]["nTrials"] == done + 4
    assert not operation.result["metadata"]["stoppedEarly"]
    assert answers(operation) == [("tune", "refused"), ("tune", "refused"), ("tune", "applied")]


def test_checkpoint_is_written_when_asked_for(home: Path, small_csv: Path) -> None:
    operation, worker = started(home, small_csv)
    operation.command("checkpoint")
    operation.wait_for(lambda seen: ("checkpoint", "applied") in answers(seen))
    operation.command("cancel")
    assert worker.wait(10) == 0


def test_a_hung_fit_is_killed_at_its_deadline_and_the_search_goes_on(home: Path, small_csv: Path) -> None:
    search = {"nTrials": 20, "pruner": "none"}
    operation, worker = started(home, small_csv, hyperparameterSearch=search, options={"fitTimeout": 2.0})
    os.kill(fit_child_of(worker.pid), signal.SIGSTOP)
    assert worker.wait(120) == 0
    metadata = operation.result["metadata"]
    assert (metadata["nTrials"], metadata["nTrialsFailed"]) == (20, 1)
    history = json.loads((operation.files.artifacts / "training_history.json").read_text())
    lost = [trial for trial in history["trials"] if trial["state"] == "failed"]
    assert lost[0]["reason"].startswith("fit_deadline: the fit did not end within 2 s")


@pytest.mark.parametrize(
    ("options", "memory_gib", "code"), [({"fitTimeout": 0.01}, 4.0, "fit_deadline"), ({}, 0.2, "memory_limit")]
)
def test_when_every_fit_is_lost_the_operation_fails_with_the_code(
    home: Path, small_csv: Path, options: dict[str, float], memory_gib: float, code: str
) -> None:
    search = {"nTrials": 2}
    asked = job(small_csv, algorithm="random_forest", options=options, hyperparameterSearch=search)
    operation = Operation.create(home, asked, memory_gib=memory_gib)
    assert operation.run() == 1
    assert operation.error()["code"] == code
    assert operation.error()["hint"]
    assert not operation.error()["traceback_tail"]
