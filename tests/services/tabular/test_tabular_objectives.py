from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tabular_support import Operation, config, job, kill, make_table, scores_of, trials_seen

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.services.tabular.config import Search
from tutelage.services.tabular.models.algorithms import REGISTRY
from tutelage.services.tabular.report.pareto import draw_front, pareto_front
from tutelage.services.tabular.search.state import COMPLETE, FAILED, Trial
from tutelage.services.tabular.search.study import Study, pruner_for

BOTH = ("roc_auc", "log_loss")
NSGAII = {"sampler": "nsgaii"}


def made(number: int, area: float, loss: float, how: str = COMPLETE) -> Trial:
    return Trial(number=number, params={}, state=how, value=area, values=dict(zip(BOTH, (area, loss), strict=True)))


@pytest.mark.parametrize(
    ("values", "front"),
    [
        ([(0.8, 0.5), (0.9, 0.6), (0.7, 0.4)], [0, 1, 2]),
        ([(0.8, 0.5), (0.9, 0.4), (0.7, 0.3)], [1, 2]),
        ([(0.8, 0.5), (0.8, 0.4)], [1]),
        ([(0.8, 0.5), (0.8, 0.5)], [0, 1]),
        ([], []),
    ],
)
def test_the_front_by_a_table(values: list[tuple[float, float]], front: list[int]) -> None:
    trials = [made(number, *pair) for number, pair in enumerate(values)]
    assert [trial.number for trial in pareto_front(trials, BOTH)] == front


def test_a_lost_trial_is_never_on_the_front() -> None:
    assert pareto_front([made(0, 0.99, 0.01, FAILED)], BOTH) == []


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 5)), min_size=1, max_size=20))
def test_every_trial_off_the_front_is_beaten_by_one_on_it(values: list[tuple[float, float]]) -> None:
    trials = [made(number, *pair) for number, pair in enumerate(values)]
    front = pareto_front(trials, BOTH)
    assert max(trials, key=lambda trial: (trial.values["roc_auc"], -trial.values["log_loss"])).values in [
        trial.values for trial in front
    ]
    for trial in trials:
        held = [item for item in front if item.values["roc_auc"] >= trial.values["roc_auc"]]
        assert trial in front or any(item.values["log_loss"] <= trial.values["log_loss"] for item in held)


def play(trials: list[Trial], count: int) -> list[Trial]:
    """Go on from `trials` with made-up values that depend on the parameters alone."""
    search = Search.model_validate(NSGAII)
    entry = REGISTRY["lightgbm"]
    directions: Any = ["maximize", "minimize"]
    study = Study(entry, search, seed=3, objectives=BOTH, directions=directions, finished=trials)
    played = list(trials)
    for number in range(len(trials), count):
        params = study.ask(number)
        rate, leaves = params["learning_rate"], params["num_leaves"]
        folds = [
            {"roc_auc": 0.9 - abs(rate - 0.05), "log_loss": 0.1 + leaves / 500 + 0.001 * fold} for fold in range(3)
        ]
        played.append(Trial(number=number, params=params, state=COMPLETE, folds=folds))
        assert not study.should_prune(0, played[-1])
        study.tell(played[-1])
    return played


@pytest.mark.parametrize("cut", [1, 10, 33])
def test_a_rebuilt_study_of_two_objectives_proposes_the_same(cut: int) -> None:
    whole = play([], 40)
    assert [trial.params for trial in play(whole[:cut], 40)] == [trial.params for trial in whole]


def test_later_generations_are_better_in_both() -> None:
    trials = play([], 120)
    means = [[np.mean([trial.mean(name) for trial in part]) for name in BOTH] for part in (trials[:20], trials[-20:])]
    assert means[1][0] > means[0][0]
    assert means[1][1] < means[0][1]


@pytest.mark.parametrize(
    "more",
    [
        {"metrics": ["roc_auc", "fit_s"], "hyperparameterSearch": {}},
        {"metrics": ["roc_auc", "fit_s"], "hyperparameterSearch": {**NSGAII, "enabled": False}},
        {"metrics": ["roc_auc", "fit_s"], "hyperparameterSearch": {**NSGAII, "pruner": "median"}},
        {"metrics": ["roc_auc", "roc_auc"]},
        {"metrics": ["fit_s", "roc_auc"]},
        {"metrics": ["roc_auc", "fit_s"], "metric": "roc_auc"},
        {"metrics": ["accuracy", "roc_auc"], "validationStrategy": "loo"},
    ],
)
def test_objectives_that_do_not_fit_together_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec):
        config({"trainDataPath": "sklearn:wine", "hyperparameterSearch": NSGAII, **more})


def test_an_unknown_objective_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'predict_ms'"):
        config({"trainDataPath": "sklearn:wine", "hyperparameterSearch": NSGAII, "metrics": ["roc_auc", "predict_s"]})


@pytest.mark.parametrize(
    ("asked", "num_objectives", "pruner"),
    [({}, 1, "median"), ({}, 2, "none"), ({"pruner": "wilcoxon"}, 1, "wilcoxon"), ({"pruner": None}, 1, "none")],
)
def test_the_pruner_s_default(asked: dict[str, Any], num_objectives: int, pruner: str) -> None:
    assert pruner_for(Search.model_validate(asked), num_objectives) == pruner


def test_the_front_is_drawn(tmp_path: Path) -> None:
    trials = [made(number, 0.9 - 0.01 * number, 0.5 - 0.02 * number) for number in range(6)]
    draw_front(tmp_path / "front.png", trials, trials, BOTH, chosen=trials[0])
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow  # a training and one killed twice
def test_a_killed_search_on_two_objectives_ends_as_if_undisturbed(tmp_path: Path, home: Path) -> None:
    table = tmp_path / "table.csv"
    make_table(500).to_csv(table, index=False)
    search = {**NSGAII, "nTrials": 24}
    asked = job(table, algorithm="logistic", metrics=[*BOTH], hyperparameterSearch=search)
    asked = {**asked, "validationStrategy": {"folds": 3}}
    calm, disturbed = Operation.create(home, asked), Operation.create(home, asked)
    assert calm.run() == 0, calm.events(kind="error")
    for attempt, trials in ((1, 4), (2, 15)):
        worker = disturbed.start(attempt)
        disturbed.wait_for(trials_seen(trials, attempt), attempt=attempt)
        kill(worker)
    assert disturbed.run(3) == 0
    fronts = [operation.result["metadata"]["paretoFront"] for operation in (calm, disturbed)]
    assert fronts[0] == fronts[1]
    assert scores_of(calm.result) == scores_of(disturbed.result)
    metadata = calm.result["metadata"]
    best = max(fronts[0], key=lambda item: item["values"]["roc_auc"])
    assert metadata["bestTrialNumber"] == best["trial"]
    assert (metadata["objectives"], metadata["nTrialsPruned"]) == ([*BOTH], 0)
    assert (calm.files.artifacts / "pareto_front.png").stat().st_size > 5_000


@pytest.mark.slow  # a training
def test_times_are_objectives_too(home: Path, small_csv: Path) -> None:
    asked = job(small_csv, algorithm="random_forest", metrics=["roc_auc", "predict_ms", "fit_s"])
    operation = Operation.create(home, {**asked, "hyperparameterSearch": {**NSGAII, "nTrials": 3}})
    assert operation.run() == 0, operation.events(kind="error")
    front = operation.result["metadata"]["paretoFront"]
    assert all(0 < item["values"]["predict_ms"] < 100 and item["values"]["fit_s"] > 0 for item in front)
