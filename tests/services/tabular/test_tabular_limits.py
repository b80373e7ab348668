from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from tabular_support import Operation, job, kill, make_table, trials_seen

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular.catalog import ALGORITHMS, CLASSIFICATION, REGRESSION
from tutelage.services.tabular.data.types import ColumnReader, infer_columns
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.fits import FitChild
from tutelage.services.tabular.models.algorithms import REGISTRY

pytestmark = pytest.mark.slow  # each starts a worker, which imports the learners in two seconds


def wide_table(num_rows: int = 4000) -> Any:
    """Rows that no algorithm learns in a second."""
    dice = np.random.default_rng(0)
    numbers = dice.normal(size=(num_rows, 40))
    signal = numbers[:, 0] + numbers[:, 1] * numbers[:, 2] + dice.normal(size=num_rows)
    frame = pd.DataFrame(numbers, columns=[f"x{index}" for index in range(40)])
    return frame.assign(y=np.where(signal > 0, "up", "down"))


@pytest.fixture
def wide_csv(tmp_path: Path) -> Path:
    path = tmp_path / "wide.csv"
    wide_table().to_csv(path, index=False)
    return path


def worked_s(operation: Operation) -> float:
    return float(json.loads((operation.files.root / "clock.json").read_text())["work_s"])


def logged(operation: Operation, attempt: int = 1) -> str:
    return "\n".join(event["d"]["text"] for event in operation.events(attempt, "log"))


def test_a_time_limit_bounds_the_search_and_is_kept(home: Path, small_csv: Path) -> None:
    operation = Operation.create(home, job(small_csv, algorithm="lightgbm", timeLimit=15))
    assert operation.run(timeout_s=120) == 0
    metadata = operation.result["metadata"]
    assert worked_s(operation) <= 16.5
    assert metadata["nTrials"] > 1
    assert metadata["timeLimit"] == 15
    assert operation.result["metrics"]["test"]["roc_auc"] > 0.7


def test_rows_are_given_up_where_the_time_has_no_room_for_them(home: Path, wide_csv: Path) -> None:
    table = wide_table(30_000)
    table.to_csv(wide_csv, index=False)
    operation = Operation.create(home, job(wide_csv, algorithm="svm", timeLimit=30))
    assert operation.run(timeout_s=120) == 0
    metadata = operation.result["metadata"]
    assert worked_s(operation) <= 33
    assert metadata["rowsUsed"] < metadata["rowsTrain"]
    assert metadata["ladder"]
    assert {"step", "at", "from", "to", "reason"} == set(metadata["ladder"][0])
    for step in metadata["ladder"]:
        assert f"{step['step']} from {step['from']} to {step['to']}" in logged(operation)
    assert operation.result["metrics"]["test"]["roc_auc"] > 0.55


def test_a_limit_that_the_data_use_up_is_a_clear_error(home: Path, wide_csv: Path) -> None:
    wide_table(40_000).to_csv(wide_csv, index=False)
    operation = Operation.create(home, job(wide_csv, algorithm="svm", timeLimit=1))
    if operation.run(timeout_s=60) == 0:
        assert operation.result["metadata"]["ladder"]
    else:
        assert operation.error()["code"] == "time_limit"
        assert "raise timeLimit" in operation.error()["hint"]


def test_a_killed_operation_ends_within_what_was_left(home: Path, wide_csv: Path) -> None:
    operation = Operation.create(home, job(wide_csv, algorithm="lightgbm", timeLimit=40))
    worker = operation.start()
    operation.wait_for(lambda op: op.events(kind="checkpoint"))
    kill(worker)
    before_s = worked_s(operation)
    assert 0 < before_s < 44
    assert operation.run(2, timeout_s=120) == 0
    assert before_s < worked_s(operation) <= 44
    assert operation.result["success"]


def test_pause_and_stop_hold_the_clock_and_keep_the_limit(home: Path, wide_csv: Path) -> None:
    operation = Operation.create(home, job(wide_csv, algorithm="lightgbm", timeLimit=60))
    worker = operation.start()
    operation.wait_for(trials_seen(1))
    operation.command("pause")
    assert worker.wait(20) == 0
    paused_s = worked_s(operation)
    operation.files.commands.unlink()
    resumed = operation.start(2)
    operation.wait_for(trials_seen(2, attempt=2), attempt=2)
    operation.command("stop")
    assert resumed.wait(40) == 0
    assert paused_s < worked_s(operation) < 60
    assert operation.result["metadata"]["stoppedEarly"]
    assert logged(operation, 2).count("on few rows") == 0, "the pace is known from the first attempt"


@pytest.mark.parametrize("moment", ["timing", "trial 0"])
def test_cancel_is_quick_under_a_time_limit(home: Path, wide_csv: Path, moment: str) -> None:
    wide_table(20_000).to_csv(wide_csv, index=False)
    operation = Operation.create(home, job(wide_csv, algorithm="svm", timeLimit=120))
    worker = operation.start()
    seen = "on few rows" if moment == "timing" else "rows from"
    operation.wait_for(lambda op: seen in logged(op))
    operation.command("cancel")
    assert worker.wait(4) == 0
    assert operation.events(kind="state")[-1]["d"]["state"] == "cancelled"


def test_a_fit_over_the_memory_limit_is_tried_again_on_fewer_rows(home: Path, tmp_path: Path) -> None:
    table = tmp_path / "big.csv"
    wide_table(40_000).to_csv(table, index=False)
    search = {"nTrials": 2}
    asked = job(table, algorithm="knn", hyperparameterSearch=search, validationStrategy={"folds": 2}, memoryLimit=0.6)
    operation = Operation.create(home, asked)
    assert operation.run(timeout_s=200) == 0, operation.events(kind="error")
    metadata = operation.result["metadata"]
    assert metadata["rowsUsed"] < metadata["rowsTrain"]
    assert {step["step"] for step in metadata["ladder"]} <= {"rows", "rounds", "model"}
    assert metadata["nTrialsFailed"] == 0


def test_a_memory_limit_over_the_resources_is_refused(home: Path, small_csv: Path) -> None:
    operation = Operation.create(home, job(small_csv, memoryLimit=8), memory_gib=4)
    assert operation.run() == 1
    assert operation.error()["code"] == InvalidSpec.code
    assert "resources.memory_gib 4" in operation.error()["message"]


def test_tuned_bounds_hold_from_the_next_trial_on_and_after_a_kill(home: Path, small_csv: Path) -> None:
    search = {"nTrials": 5000, "pruner": "none"}
    operation = Operation.create(home, job(small_csv, algorithm="lightgbm", hyperparameterSearch=search))
    worker = operation.start()
    operation.wait_for(trials_seen(12))
    operation.command("tune", **{"space.learning_rate.low": 0.2, "space.num_leaves.high": 8})
    operation.command("tune", **{"space.learning_rat.low": 0.2})
    operation.wait_for(lambda op: len(op.events(kind="applied")) == 2)
    first = max(event["d"]["done"] for event in operation.events(kind="progress")) + 1
    operation.wait_for(trials_seen(int(first) + 3))
    kill(worker)
    operation.files.commands.unlink()
    resumed = operation.start(2)
    operation.wait_for(trials_seen(int(first) + 8, attempt=2), attempt=2)
    operation.command("stop")
    assert resumed.wait(60) == 0
    history = json.loads((operation.files.artifacts / "training_history.json").read_text())["trials"]
    early, late = history[1 : int(first) - 1], history[int(first) :]
    assert min(trial["params"]["learning_rate"] for trial in early) < 0.2
    assert all(trial["params"]["learning_rate"] >= 0.2 and trial["params"]["num_leaves"] <= 8 for trial in late)
    answers = [event["d"]["status"] for event in operation.events(kind="applied")]
    assert answers == ["applied", "refused"]


def hashes(operation: Operation, table: Any) -> list[str]:
    """Name what a training made, to the last bit: predictions of the kept model, and those out of fold."""
    model = joblib.load(operation.files.artifacts / "model.joblib")
    said = model.predict_proba(table) if hasattr(model, "predict_proba") else model.predict(table)
    out_of_fold = np.load(operation.files.artifacts / "out_of_fold.npy")
    return [hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() for array in (said, out_of_fold)]


FEW = [("lightgbm", CLASSIFICATION), ("random_forest", REGRESSION), ("neural_network", CLASSIFICATION)]


def installed() -> list[tuple[str, str]]:
    """Return a few pairs of algorithm and task, or with TUTELAGE_MATRIX=all every one."""
    if os.environ.get("TUTELAGE_MATRIX") != "all":
        return FEW
    names = [(name, entry) for name, entry in ALGORITHMS.items() if entry.is_installed]
    return [(name, task) for name, entry in names for task in (CLASSIFICATION, REGRESSION) if task in entry.tasks]


@pytest.mark.parametrize(("algorithm", "task"), installed())
def test_a_deterministic_job_gives_identical_predictions(home: Path, tmp_path: Path, algorithm: str, task: str) -> None:
    table = make_table(400, regression=task == REGRESSION)
    path = tmp_path / "table.csv"
    table.to_csv(path, index=False)
    search = {"nTrials": 3, "pruner": "none"}
    asked = job(path, algorithm=algorithm, deterministic=True, modelType=task, hyperparameterSearch=search)
    asked["validationStrategy"] = {"folds": 3}
    made = []
    for _ in range(2):
        operation = Operation.create(home, asked, cpus=2)
        assert operation.run() == 0, operation.events(kind="error")
        assert operation.result["metadata"]["deterministic"]["rerun"] == "bit-identical"
        made.append(hashes(operation, table))
    assert made[0] == made[1]


SALARIES = {"targetColumn": "current_annual_salary", "modelType": "regression"}
CORRECTED = {"calibration": "isotonic", "optimizeFor": "f1"}


@pytest.mark.needs_shared_data
@pytest.mark.parametrize("algorithm", ["lightgbm", "ridge"])
def test_a_rerun_with_text_columns_predicts_the_same(
    home: Path, tmp_path: Path, shared_data: Path, algorithm: str
) -> None:
    table = pd.read_csv(shared_data / "tabular" / "employee_salaries.csv").head(600)
    path = tmp_path / "table.csv"
    table.to_csv(path, index=False)
    search = {"nTrials": 2, "pruner": "none"}
    asked = job(path, algorithm=algorithm, hyperparameterSearch=search, validationStrategy={"folds": 2}, **SALARIES)
    twice(home, asked, table.drop(columns=SALARIES["targetColumn"]))


def test_a_rerun_with_calibration_and_a_threshold_predicts_the_same(home: Path, small_csv: Path) -> None:
    search = {"nTrials": 2, "pruner": "none"}
    asked = job(small_csv, algorithm="lightgbm", hyperparameterSearch=search, deterministic=True, **CORRECTED)
    operation = twice(home, asked, pd.read_csv(small_csv))
    metadata = operation.result["metadata"]
    trials = json.loads((operation.files.artifacts / "training_history.json").read_text())["trials"]
    folds = trials[metadata["bestTrialNumber"]]
    has_others = not 0.8 <= metadata["rounds"] / np.median(folds["rounds"]) <= 1.25
    assert metadata["threshold"]["tunedOn"] == ("final" if has_others else "folds")
    assert metadata["calibration"]["method"] == "isotonic"


def twice(home: Path, asked: dict[str, Any], table: Any) -> Operation:
    """Train twice, hold both against each other, and return the second."""
    made = []
    for _ in range(2):
        operation = Operation.create(home, asked)
        assert operation.run() == 0, operation.events(kind="error")
        made.append(hashes(operation, table))
    assert made[0] == made[1]
    return operation


def test_an_empty_answer_of_the_child_is_an_answer(home: Path) -> None:
    child = FitChild(home=home, cpus=1, memory_gib=4)
    try:
        load_table(child, wide_table(50), CLASSIFICATION)
        assert child.ask(messages.Apply(function="builtins:print", arguments={}), timeout_s=60) is None
        assert child.pid is not None
    finally:
        child.close()


@pytest.mark.parametrize(
    "algorithm", [name for name, entry in ALGORITHMS.items() if entry.has_rounds and entry.is_installed]
)
@pytest.mark.parametrize("task", [CLASSIFICATION, REGRESSION])
def test_what_learns_in_rounds_ends_politely_and_keeps_what_it_has(home: Path, algorithm: str, task: str) -> None:
    run_rounds(home, algorithm, task)


def load_table(child: FitChild, table: Any, task: str) -> None:
    """Load a wide table; a regression learns its first column."""
    frame = table.drop(columns="y")
    target = table["y"].to_numpy() if task == CLASSIFICATION else table["x0"].to_numpy()
    reader = ColumnReader(infer_columns(frame, names=list(frame.columns), asked=False))
    typed = reader.transform(frame)
    load = messages.Load(
        task=task, reader=reader, frame=typed, target=target, test_frame=typed, test_target=target, threads=1
    )
    assert child.ask(load) is True


def run_rounds(home: Path, algorithm: str, task: str) -> None:
    table = wide_table(3000)
    entry = REGISTRY[algorithm]
    assert entry.rounds is not None
    # Steps so small, and a patience so long, that only the deadline ends the fit, and before it overfits.
    slow = {"learning_rate": 0.001} if "learning_rate" in entry.defaults and algorithm != "neural_network" else {}
    params = {**entry.defaults, **slow, entry.rounds.param: 100_000}
    patience = 10_000 if algorithm == "neural_network" else None
    child = FitChild(home=home, cpus=1, memory_gib=4)
    try:
        load_table(child, table, task)
        rows = np.arange(3000)
        request = messages.Fit(
            algorithm=algorithm,
            params=params,
            seed=1,
            train=rows[:2000],
            validation=rows[2000:],
            early_stopping=patience,
            time_s=2.0,
        )
        fitted = child.ask(request, timeout_s=60)
    finally:
        child.close()
    assert isinstance(fitted, messages.Fitted), fitted
    assert fitted.is_cut
    assert fitted.fit_s < 6
    assert 1 <= fitted.num_rounds < 10_000  # type: ignore[operator]
    trivial = np.log(2) if task == CLASSIFICATION else float(table["x0"].std())
    assert fitted.scores["log_loss" if task == CLASSIFICATION else "rmse"] < trivial
