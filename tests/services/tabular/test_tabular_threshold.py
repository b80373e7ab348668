from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import fbeta_score
from tabular_support import Operation, config, job
from test_tabular_train import ask

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.documents import read
from tutelage.services.tabular.models.thresholds import BETAS, decide, tune

DICE = np.random.default_rng(0)
TRUTH = DICE.random(300) < 0.2
SAID = np.clip(0.3 * TRUTH + 0.15 + DICE.normal(0, 0.15, 300), 0, 1).round(3)


@pytest.mark.slow  # scores every threshold one by one
@pytest.mark.parametrize("wish", sorted(BETAS))
def test_no_other_threshold_has_a_better_f_score(wish: str) -> None:
    found = tune(TRUTH, SAID, optimize_for=wish, costs=None)
    every = [fbeta_score(TRUTH, at <= SAID, beta=BETAS[wish], zero_division=0.0) for at in np.linspace(0, 1, 2001)]
    reached = fbeta_score(TRUTH, found.value <= SAID, beta=BETAS[wish])
    assert reached == pytest.approx(max(every))


def test_no_other_threshold_costs_less() -> None:
    def cost(at: float) -> float:
        return float((SAID[~TRUTH] >= at).sum() * 2 + (SAID[TRUTH] < at).sum() * 11)

    found = tune(TRUTH, SAID, optimize_for="cost", costs=(2.0, 11.0))
    assert found.reached["cost"] == cost(found.value) == min(cost(at) for at in np.linspace(0, 1, 2001))
    assert found.at_half["cost"] == cost(0.5)


def test_recall_lies_lower_than_precision_and_rows_without_prediction_do_not_count() -> None:
    recall, precision = (tune(TRUTH, SAID, optimize_for=wish, costs=None) for wish in ("recall", "precision"))
    assert recall.value < precision.value
    some = np.where(np.arange(300) < 50, np.nan, SAID)
    assert tune(TRUTH, some, optimize_for="f1", costs=None) == tune(
        TRUTH[50:], SAID[50:], optimize_for="f1", costs=None
    )
    assert decide(np.array([[0.7, 0.3], [0.8, 0.2]]), np.array(["a", "b"]), 0.25).tolist() == ["b", "a"]


@pytest.mark.parametrize(
    "more",
    [
        {"optimizeFor": "recall", "modelType": "regression"},
        {"optimizeFor": "cost"},
        {"optimizeFor": "f1", "businessContext": {"falsePositiveCost": 1, "falseNegativeCost": 2}},
    ],
)
def test_a_threshold_that_cannot_be_tuned_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec):
        config({"trainDataPath": "sklearn:wine", **more})


def test_an_agents_false_negatives_ask_for_recall() -> None:
    context = {"dataPath": "/d.csv", "target": "y", "businessRequirement": "Minimize false negatives"}
    spec = read({"kind": "agent", "agent": {"prompt": {"context": context}}})
    assert spec is not None
    assert TabularConfig.model_validate(spec["config"]).optimize_for == "recall"


@pytest.mark.slow  # a training
def test_the_threshold_is_kept_in_the_model_and_used(
    home: Path, small_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = {"falsePositiveCost": 1, "falseNegativeCost": 30}
    asked = job(small_csv, testDataPath=str(small_csv), algorithm="logistic", businessContext=costs)
    operation = Operation.create(home, {**asked, "hyperparameterSearch": {"nTrials": 3}})
    assert operation.run() == 0, operation.events(kind="error")
    threshold = operation.result["metadata"]["threshold"]
    assert threshold["value"] < 0.5
    assert threshold["outOfFold"]["cost"] < threshold["outOfFoldAtHalf"]["cost"]
    (answer,) = ask(operation, monkeypatch, {"dataPath": str(small_csv)})
    second = np.array(answer["probabilities"])[:, 1] >= threshold["value"]
    assert answer["predictions"] == np.where(second, "stays", "leaves").tolist()
    assert (second != (np.array(answer["probabilities"])[:, 1] >= 0.5)).any()
    truth = [json.loads(line)["y"] for line in _rows(small_csv)]
    accuracy = np.mean(np.array(truth) == np.array(answer["predictions"]))
    assert accuracy == operation.result["metrics"]["test"]["accuracy"]


def _rows(path: Path) -> list[str]:
    import pandas as pd

    return str(pd.read_csv(path).to_json(orient="records", lines=True)).splitlines()


@pytest.mark.slow  # a worker that fails early
def test_several_classes_have_no_threshold(home: Path) -> None:
    operation = Operation.create(home, {"trainDataPath": "sklearn:wine", "optimizeFor": "recall"})
    assert operation.run() != 0
    assert "has 3 classes" in operation.error()["message"]
