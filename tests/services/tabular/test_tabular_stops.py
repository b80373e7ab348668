"""A stop while the final fit learns in rounds: it ends with the one it is in, and the best so far is kept."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tabular_support import Operation, job

pytestmark = pytest.mark.slow  # each starts a worker, which imports the learners in two seconds

FIXED = {"n_estimators": 3000, "max_depth": 8, "learning_rate": 0.01, "min_samples_leaf": 1}
SLOW = {
    "algorithm": "gradient_boosting",
    "validationStrategy": {"folds": 2},
    "hyperparameterSearch": {"nTrials": 1, "space": {name: {"choices": [value]} for name, value in FIXED.items()}},
}


def rounds_seen(operation: Operation, attempt: int = 1) -> list[int]:
    return [step for scope, step, name, _ in operation.metrics(attempt) if (scope, name) == ("final", "val_logloss")]


def in_final(home: Path, table: Path) -> tuple[Operation, Any]:
    operation = Operation.create(home, job(table, **SLOW))
    worker = operation.start()
    operation.wait_for(lambda seen: len(rounds_seen(seen)) >= 3, timeout_s=120)
    return operation, worker


def answer(operation: Operation) -> dict[str, Any]:
    told = operation.wait_for(lambda seen: seen.events(kind="applied"))
    return dict(told[0])


def test_a_stop_ends_the_final_fit_with_the_round_it_is_in(home: Path, small_csv: Path) -> None:
    operation, worker = in_final(home, small_csv)
    operation.command("stop")
    told = answer(operation)
    assert worker.wait(60) == 0
    seen, metadata = rounds_seen(operation), operation.result["metadata"]
    assert seen == list(range(len(seen)))
    assert 3 <= len(seen) < 300
    assert (told["d"]["status"], told["i"]) == ("applied", len(seen) - 1)
    assert (metadata["finalEndedAfter"], metadata["stoppedEarly"]) == (len(seen), True)
    assert 1 <= metadata["rounds"] <= len(seen)
    assert f"stopped after {len(seen)} rounds" in (operation.files.artifacts / "model_card.md").read_text()


def test_an_attempt_after_a_kill_has_no_more_rounds_than_were_asked_for(home: Path, small_csv: Path) -> None:
    operation, worker = in_final(home, small_csv)
    operation.command("stop")
    answer(operation)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(10)
    ended = len(rounds_seen(operation))
    operation.files.commands.unlink()
    assert operation.run(2) == 0
    assert rounds_seen(operation, 2) == list(range(ended))
    assert operation.result["metadata"]["finalEndedAfter"] == ended


def test_a_cancel_after_a_stop_is_quick(home: Path, small_csv: Path) -> None:
    operation, worker = in_final(home, small_csv)
    operation.command("stop")
    operation.command("cancel")
    begun_s = time.monotonic()
    assert worker.wait(20) == 0
    assert time.monotonic() - begun_s < 20
    assert operation.events(kind="state")[-1]["d"]["state"] in ("cancelled", "completed")


def test_what_has_no_rounds_is_finished(home: Path, small_csv: Path) -> None:
    operation = Operation.create(
        home, job(small_csv, algorithm="logistic_regression", hyperparameterSearch={"nTrials": 1})
    )
    worker = operation.start()
    operation.wait_for(lambda seen: [event for event in seen.events(kind="phase") if event["d"]["phase"] == "final"])
    operation.command("stop")
    assert worker.wait(60) == 0
    assert "finalEndedAfter" not in operation.result["metadata"]
