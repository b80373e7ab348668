from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tabular_support import Operation, config, job, make_run, make_table

from tutelage.core.errors import DamagedFile, TutelageError
from tutelage.services.tabular.train import train
from tutelage.services.tabular.use import use


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Operation, Any]:
    """One finished operation with a test table of its own: for every test that only looks."""
    folder = tmp_path_factory.mktemp("trained")
    table = make_table(300)
    table.iloc[:220].to_csv(folder / "train.csv", index=False)
    table.iloc[220:].to_csv(folder / "test.csv", index=False)
    search = {"nTrials": 4}
    asked = job(folder / "train.csv", testDataPath=str(folder / "test.csv"), algorithm="lightgbm")
    operation = Operation.create(folder / "home", {**asked, "hyperparameterSearch": search})
    assert operation.run() == 0, operation.events(kind="error")
    return operation, table.iloc[220:].reset_index(drop=True)


def ask(operation: Operation, monkeypatch: pytest.MonkeyPatch, *requests: Mapping[str, Any]) -> list[Any]:
    monkeypatch.setenv("TUTELAGE_HOME", str(operation.home))
    answers: list[Any] = []
    spec = json.loads(operation.files.spec.read_text())
    use(operation.files.root, config(spec["config"]), iter(requests), answers.append)
    return answers


def test_the_result_has_the_contract_s_shape(trained: tuple[Operation, Any]) -> None:
    operation, _ = trained
    result = operation.result
    assert result["success"] is True
    assert result["modelPath"] == "artifacts/model.joblib"
    assert set(result["metrics"]["test"]) == {"accuracy", "precision", "recall", "f1", "roc_auc", "log_loss"}
    assert {"accuracy_mean", "accuracy_std", "roc_auc_mean"} <= set(result["metrics"]["crossValidation"])
    assert {"trainingTime", "nTrials", "bestTrialNumber", "rowsUsed", "numFeatures"} <= set(result["metadata"])
    assert result["experiment"] == {"status": "disabled"}
    assert sum(result["featureImportance"].values()) == pytest.approx(1)
    assert set(result["featureImportance"]) == {"age", "city", "spend", "member"}
    for name in result["artifacts"]:
        assert (operation.files.root / name).stat().st_size > 0
    wanted = ("model.joblib", "feature_importance.json", "training_history.json", "confusion_matrix.png", "splits.json")
    assert {f"artifacts/{name}" for name in wanted} <= set(result["artifacts"])


def test_the_model_reproduces_the_test_score_exactly(
    trained: tuple[Operation, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    operation, test = trained
    path = json.loads(operation.files.spec.read_text())["config"]["testDataPath"]
    from_file, from_rows = ask(
        operation, monkeypatch, {"dataPath": path}, {"rows": json.loads(test.to_json(orient="records"))}
    )
    assert from_file["classes"] == ["leaves", "stays"]
    accuracy = float(np.mean(np.array(from_file["predictions"]) == test["y"].to_numpy()))
    assert accuracy == operation.result["metrics"]["test"]["accuracy"]
    assert from_rows["probabilities"] == from_file["probabilities"]


def test_use_warns_of_the_unseen_and_refuses_the_incomplete(
    trained: tuple[Operation, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    operation, _ = trained
    row = {"age": None, "city": "Atlantis", "spend": "12", "member": "yes", "shoe": 44}
    (answer,) = ask(operation, monkeypatch, {"rows": [row]})
    assert answer["predictions"][0] in ("leaves", "stays")
    assert any("never seen in training: 'Atlantis'" in text for text in answer["warnings"])
    assert any("shoe" in text for text in answer["warnings"])
    bad: list[tuple[dict[str, Any], str]] = [
        ({"rows": [{"age": 3, "town": "Oslo"}]}, "feature_missing"),
        ({"rows": []}, "data_empty"),
        ({"rows": "none"}, "invalid_spec"),
        ({"row": [row]}, "unknown_name"),
        ({}, "invalid_spec"),
    ]
    for request, code in bad:
        with pytest.raises(TutelageError) as raised:
            ask(operation, monkeypatch, request)
        assert raised.value.code == code


def test_a_model_that_was_changed_is_not_loaded(
    trained: tuple[Operation, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    operation, _ = trained
    model = operation.files.artifacts / "model.joblib"
    block = model.read_bytes()
    model.write_bytes(block[:-1] + bytes([block[-1] ^ 1]))
    try:
        with pytest.raises(DamagedFile):
            ask(operation, monkeypatch, {"rows": [{}]})
    finally:
        model.write_bytes(block)


def test_metrics_lie_in_their_scopes(trained: tuple[Operation, Any]) -> None:
    operation, _ = trained
    points = {(scope, name) for scope, _, name, _ in operation.metrics()}
    assert {
        ("", "roc_auc"),
        ("", "roc_auc_std"),
        ("", "roc_auc_error"),
        ("", "best_roc_auc"),
        ("", "baseline_roc_auc"),
    } <= points
    assert {("trial=0", "roc_auc"), ("trial=0", "fit_s"), ("trial=0/fold=4", "val_logloss")} <= points
    assert {("final", "train_logloss"), ("final", "val_logloss"), ("refit", "train_logloss")} <= points
    assert ("final", "roc_auc") not in points, "one value is no curve to be judged by"
    judged = [event["d"]["judge"] for event in operation.events(kind="metric") if "judge" in event["d"]]
    assert judged[0] == ["trial=0/fold=0"]
    assert judged[-1] == ["final"]
    defined = [event["d"]["define"] for event in operation.events(kind="metric") if "define" in event["d"]]
    told = {"baseline": 0.5, "baseline_name": "class shares", "error": "roc_auc_error", "objective": True}
    assert {"roc_auc": told} in defined
    phases = [event["d"]["phase"] for event in operation.events(kind="phase")]
    assert phases == ["data", "baseline", "search", "final", "refit", "evaluate"]


def test_splits_are_complete_and_disjoint(trained: tuple[Operation, Any]) -> None:
    operation, _ = trained
    splits = json.loads((operation.files.artifacts / "splits.json").read_text())
    held = [row for fold in splits["folds"] for row in fold["validation"]]
    assert sorted(held) == splits["train"] == list(range(220))
    for part in (*splits["folds"], splits["final"]):
        assert sorted(part["train"] + part["validation"]) == list(range(220))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda table: table.assign(y="same"), "one_class"),
        (lambda table: table.drop(columns="y"), "target_missing"),
        (lambda table: table[["customerID", "same", "y"]], "no_features"),
        (lambda table: table.head(4), "too_few_rows"),
    ],
)
def test_bad_tables_fail_with_their_code(tmp_path: Path, home: Path, change: Any, code: str) -> None:
    change(make_table(60)).to_csv(tmp_path / "t.csv", index=False)
    run = make_run(home)
    with pytest.raises(TutelageError) as raised:
        train(config(job(tmp_path / "t.csv")), run)
    run.close()
    assert raised.value.code == code
    assert raised.value.hint


@pytest.mark.slow  # a training each
@pytest.mark.parametrize(
    ("source", "algorithm", "metric", "least"),
    [
        ("sklearn:breast_cancer", "auto", "roc_auc", 0.97),
        ("sklearn:wine", "random_forest", "accuracy", 0.9),
        ("sklearn:digits", "logistic_regression", "accuracy", 0.93),
        ("sklearn:diabetes", "ridge", "r2", 0.3),
        ("sklearn:diabetes", "random_forest", "r2", 0.25),
    ],
)
def test_sets_of_scikit_learn_are_learned(home: Path, source: str, algorithm: str, metric: str, least: float) -> None:
    kind = "regression" if source.endswith("diabetes") else "classification"
    search = {"nTrials": 2}
    document = {"modelType": kind, "algorithm": algorithm, "trainDataPath": source, "hyperparameterSearch": search}
    operation = Operation.create(home, document)
    assert operation.run() == 0
    assert operation.result["metrics"]["test"][metric] >= least


@pytest.mark.slow  # a training
@pytest.mark.parametrize("algorithm", ["lightgbm", "random_forest"])
def test_early_stopping_fixes_the_rounds(tmp_path: Path, home: Path, algorithm: str) -> None:
    make_table(300, regression=True).to_csv(tmp_path / "t.csv", index=False)
    options = {"earlyStoppingRounds": 2, "verbosity": 2}
    asked = job(tmp_path / "t.csv", algorithm=algorithm, options=options, hyperparameterSearch={"enabled": False})
    operation = Operation.create(home, asked)
    assert operation.run() == 0
    curve = [step for scope, step, name, _ in operation.metrics() if scope == "final" and name == "val_rmse"]
    rounds = operation.result["metadata"]["rounds"]
    assert 0 <= len(curve) - rounds <= 2
    assert operation.result["metadata"]["nTrials"] == 1


@pytest.mark.slow  # two trainings
def test_a_branch_goes_on_from_the_trials_it_was_given_unless_they_do_not_compare(
    trained: tuple[Operation, Any],
) -> None:
    operation, _ = trained
    asked = json.loads(operation.files.spec.read_text())["config"]
    longer = {**asked, "hyperparameterSearch": {"nTrials": 6}}
    for branched, kept in ((longer, True), ({**longer, "algorithm": "logistic"}, False)):
        branch = Operation.create(operation.home, branched)
        shutil.copytree(operation.files.checkpoints, branch.files.checkpoints)
        assert branch.run() == 0
        assert branch.result["metadata"]["nTrials"] == 6
        before = json.loads((operation.files.artifacts / "training_history.json").read_text())["trials"]
        after = json.loads((branch.files.artifacts / "training_history.json").read_text())["trials"]
        assert (after[:4] == before) is kept
        assert ("starts afresh" in branch.files.log.read_text()) is not kept


@pytest.mark.slow  # a training that is stopped before its first fold
def test_a_stop_before_the_first_trial_still_gives_a_tested_model(home: Path, small_csv: Path) -> None:
    operation = Operation.create(home, job(small_csv, algorithm="lightgbm"))
    operation.command("stop")
    assert operation.run() == 0
    metadata = operation.result["metadata"]
    assert (metadata["nTrials"], metadata["bestTrialComplete"], metadata["stoppedEarly"]) == (0, False, True)
    assert operation.result["metrics"]["test"]["roc_auc"] > 0.7


@pytest.mark.slow  # 30 trials on a real table
@pytest.mark.needs_shared_data
def test_thirty_trials_on_telco_churn_reach_the_goal(tmp_path: Path, home: Path, shared_data: Path) -> None:
    from sklearn.model_selection import train_test_split

    table = pd.read_csv(shared_data / "tabular/telco_churn.csv")
    kept, held = train_test_split(table, test_size=0.2, random_state=0, stratify=table["Churn"])
    kept.to_csv(tmp_path / "train.csv", index=False)
    held.to_csv(tmp_path / "test.csv", index=False)
    document = {
        "modelType": "classification",
        "algorithm": "lightgbm",
        "trainDataPath": str(tmp_path / "train.csv"),
        "testDataPath": str(tmp_path / "test.csv"),
        "targetColumn": "Churn",
        "hyperparameterSearch": {"nTrials": 30},
    }
    operation = Operation.create(home, document)
    assert operation.run() == 0
    assert operation.result["metrics"]["test"]["roc_auc"] >= 0.845
