"""Result documents keep the committed schema, whatever is asked for and however it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tabular_support import config, make_run, make_table

import tutelage.services.tabular as tabular
from tutelage.core.errors import TutelageError
from tutelage.core.spec import Spec
from tutelage.interfaces.cli.train import refusal
from tutelage.services.tabular.failure import failure_document
from tutelage.services.tabular.train import train
from tutelage.worker.train import describe

SCHEMA = json.loads((Path(tabular.__file__).parent / "result.schema.json").read_text())
VALID = Draft202012Validator(SCHEMA)

GATES = st.dictionaries(
    st.sampled_from(["cv_mean", "cv_std", "test_drop", "quality", "latency_ms", "model_mib"]),
    st.sampled_from([">= 0.5", "< 1e3", "> -2"]),
    max_size=3,
)
FEEDBACK = st.lists(
    st.sampled_from(
        [{"code": "class_imbalance"}, {"action": "drop", "column": "age"}, "use stratified folds", "nonsense", 3]
    ),
    max_size=3,
)
PART: dict[str, st.SearchStrategy[Any]] = {
    "algorithm": st.sampled_from(["logistic", "ridge", "naive_bayes", "knn", "auto"]),
    "validationStrategy": st.sampled_from(["kfold", {"folds": 2}, {"type": "stratified", "folds": 3}]),
    "hyperparameterSearch": st.fixed_dictionaries(
        {"nTrials": st.integers(1, 2), "sampler": st.sampled_from(["random", "tpe", "grid"])}
    ),
    "gates": GATES,
    "evaluatorFeedback": FEEDBACK,
    "sensitiveFeatures": st.sampled_from([[], ["city"], ["nosuch"]]),
    "classWeight": st.sampled_from([None, "balanced"]),
    "optimizeFor": st.sampled_from([None, "recall"]),
    "testSize": st.sampled_from([0.2, 0.5]),
    "features": st.sampled_from([None, ["age", "spend"], ["same"]]),
    "calibration": st.sampled_from(["none", "temperature"]),
    "resampling": st.sampled_from(["none", "undersample"]),
    "memoryLimit": st.sampled_from([None, 3.0]),
}
ONE: dict[str, Any] = {"hyperparameterSearch": {"nTrials": 1}}
TWO: dict[str, Any] = {"hyperparameterSearch": {"nTrials": 3, "sampler": "nsgaii"}}
JOBS = st.fixed_dictionaries({"table": st.sampled_from(["classes", "numbers", "constant", "few"])}, optional=PART)


def write_table(folder: Path, kind: str) -> Path:
    table = make_table(12 if kind == "few" else 90, regression=kind == "numbers")
    if kind == "constant":
        table["y"] = "same"
    path = folder / f"{kind}.csv"
    table.to_csv(path, index=False)
    return path


def outcome(home: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document that this job ends with: refused, failed or finished."""
    try:
        parsed = config(asked)
    except TutelageError as error:
        return refusal(error)
    except ValueError as error:
        return refusal(TutelageError(str(error)))
    run = make_run(home)
    (run.dir / "spec.json").write_text(Spec(service="tabular", config=dict(asked)).model_dump_json())
    try:
        result = train(parsed, run)
    except TutelageError as error:
        return failure_document(describe(error), run.dir)
    finally:
        run.close()
    assert result is not None
    return dict(result)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.slow  # a dozen small trainings in processes of their own
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(asked=JOBS)
@example(asked={"table": "classes", "calibration": "sigmoid", "resampling": {"type": "smote", "ratio": 0.9}, **ONE})
@example(asked={"table": "classes", "metrics": ["roc_auc", "fit_s"], "timeLimit": 60, "algorithm": "logistic", **TWO})
@example(asked={"table": "classes", "algorithm": "kmeans", **ONE})
@example(asked={"table": "numbers", "algorithm": "dbscan", "targetColumn": None, "deterministic": True, **ONE})
def test_every_job_ends_with_a_valid_document(asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory() as folder:
        monkeypatch.setenv("TUTELAGE_HOME", folder)
        more = {key: value for key, value in asked.items() if key != "table"}
        table = write_table(Path(folder), asked["table"])
        document = outcome(Path(folder), {"trainDataPath": str(table), "targetColumn": "y", **more})
        VALID.validate(document)
        if document["success"]:
            reasons = document["metadata"]["artifactsSkipped"].values()
            assert [reason for reason in reasons if reason.startswith("fit_failed")] == []
        json.dumps(document, allow_nan=False)
        if asked["table"] == "constant":
            assert document["success"] is False
        assert os.listdir(folder)


BROKEN: list[tuple[str, Any]] = [
    ("gatesMet", None),
    ("modelPath", None),
    ("unknown", 1),
    ("artifacts", ["model.joblib"]),
    ("gates", [{"name": "quality", "rule": "> 1", "value": None, "met": True, "reason": "no"}]),
    ("experiment", {"status": "perhaps"}),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTELAGE_HOME", str(folder))
        asked = {"trainDataPath": str(write_table(folder, "classes")), "targetColumn": "y", "algorithm": "logistic"}
        more = {"hyperparameterSearch": {"nTrials": 1}, "gates": {"cv_std": "< 1", "latency_ms": "< 1000"}}
        return outcome(folder, {**asked, **more})


@pytest.mark.slow  # one training
def test_a_finished_job_is_valid_and_a_broken_document_is_not(finished: dict[str, Any]) -> None:
    VALID.validate(finished)
    assert finished["gates"][0]["met"] is True
    for key, value in BROKEN:
        assert not VALID.is_valid({**finished, key: value}), key
    assert not VALID.is_valid({key: value for key, value in finished.items() if key != "metadata"})


def test_a_refusal_is_valid() -> None:
    VALID.validate(refusal(TutelageError("no", hint="do this")))
