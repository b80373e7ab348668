from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest
from tabular_support import Operation, fit_child_of, job, kill, make_table, scores_of, trials_seen

from tutelage.services.tabular.catalog import SPEED

LIGHT = {"algorithm": "lightgbm", "hyperparameterSearch": {"nTrials": 12}, "validationStrategy": {"folds": 3}}


def outcome(operation: Operation) -> dict[str, Any]:
    result = operation.result
    meta = {key: result["metadata"][key] for key in ("nTrials", "nTrialsPruned", "bestTrialNumber", "rounds")}
    return {"metrics": scores_of(result), "params": result["bestParams"], **meta}


def numbers(operation: Operation, attempt: int) -> dict[Any, float]:
    """Return every number that was reported, but for times and the machine's."""
    points = operation.metrics(attempt)
    timed = {"fit_s", *(item.name for item in SPEED)}
    return {
        (scope, step, name): value for scope, step, name, value in points if scope != "system" and name not in timed
    }


def killed_again_and_again(operation: Operation, moments: list[float]) -> int:
    """Kill the worker at each moment (seconds after its start), then let it end; return the last attempt."""
    for attempt, moment in enumerate(moments, start=1):
        worker = operation.start(attempt)
        time.sleep(moment)
        kill(worker)
        if operation.files.result.exists():
            return attempt
    last = len(moments) + 1
    assert operation.run(last) == 0
    return last


@pytest.mark.slow  # two trainings and four killed ones
def test_killed_at_random_moments_ends_as_if_undisturbed(tmp_path: Path, home: Path) -> None:
    table = tmp_path / "table.csv"
    make_table(900).to_csv(table, index=False)
    calm = Operation.create(home, job(table, **LIGHT))
    assert calm.run() == 0
    disturbed = Operation.create(home, job(table, **LIGHT))
    dice = random.Random(5)
    last = killed_again_and_again(disturbed, [2.0 + dice.random() * 2.5 for _ in range(4)])
    assert outcome(disturbed) == outcome(calm)
    assert disturbed.result["metadata"]["nTrials"] == 12
    seen: dict[Any, float] = {}
    for attempt in range(1, last + 1):
        seen.update(numbers(disturbed, attempt))
    assert seen == numbers(calm, 1)


WAYS: list[tuple[str, dict[str, Any]]] = [
    ("lightgbm", {"sampler": "cmaes", "pruner": "hyperband"}),
    ("hist_gradient_boosting", {}),
    ("neural_network", {}),
    ("xgboost", {}),
    ("gradient_boosting", {}),
    ("lightgbm", {"sampler": "grid", "pruner": "wilcoxon", "space": {"num_leaves": {"choices": [4, 8]}}}),
]


@pytest.mark.slow  # a training and one killed twice
@pytest.mark.parametrize(("algorithm", "search"), WAYS)
def test_every_way_of_streaming_and_sampling_ends_as_if_undisturbed(
    tmp_path: Path, home: Path, algorithm: str, search: dict[str, Any]
) -> None:
    table = tmp_path / "table.csv"
    make_table(600).to_csv(table, index=False)
    asked = job(
        table, algorithm=algorithm, hyperparameterSearch={"nTrials": 5, **search}, validationStrategy={"folds": 3}
    )
    calm, disturbed = Operation.create(home, asked), Operation.create(home, asked)
    assert calm.run() == 0
    for attempt, trials in ((1, 1), (2, 3)):
        worker = disturbed.start(attempt)
        disturbed.wait_for(trials_seen(trials, attempt), attempt=attempt)
        kill(worker)
    assert disturbed.run(3) == 0
    assert outcome(disturbed) == outcome(calm)


@pytest.mark.slow  # starts a worker and kills it
def test_the_fit_child_dies_with_its_worker(tmp_path: Path, home: Path, small_csv: Path) -> None:
    operation = Operation.create(home, job(small_csv, hyperparameterSearch={"nTrials": 500}))
    worker = operation.start()
    operation.wait_for(trials_seen(1))
    child = fit_child_of(worker.pid)
    kill(worker)
    deadline_s = time.monotonic() + 5
    while Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes():
        assert time.monotonic() < deadline_s, "the fit child outlived its worker"
        time.sleep(0.02)
