from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from tutelage.core.errors import InvalidSpec, MissingDependency, NotYet, UnknownName
from tutelage.services.tabular import SERVICE, catalog
from tutelage.services.tabular.catalog import ALGORITHMS, PLANNED
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.documents import read
from tutelage.services.tabular.models.algorithms import REGISTRY
from tutelage.services.tabular.models.factories import FACTORIES

PLAIN: dict[str, Any] = {"trainDataPath": "/data/t.csv", "targetColumn": "y"}
DOCUMENT: dict[str, Any] = {
    "task": "train_model",
    "modelType": "classification",
    "algorithm": "random_forest",
    "trainDataPath": "/data/train.csv",
    "targetColumn": "target",
    "features": ["age", "income", "category"],
    "validationStrategy": {"type": "stratified_kfold", "folds": 5, "shuffle": True},
    "hyperparameterSearch": {"enabled": True, "nTrials": 100, "timeout": 3600, "sampler": "tpe", "pruner": "median"},
    "experimentTracking": {"enabled": False, "experimentName": "churn", "trackingUri": "http://localhost:5000"},
    "options": {"earlyStoppingRounds": 10, "verbosity": 1},
}


def parse(**more: Any) -> TabularConfig:
    return TabularConfig.model_validate({**PLAIN, **more})


def test_the_job_document_is_read_whole() -> None:
    spec = read(DOCUMENT)
    assert spec is not None
    assert spec["service"] == "tabular"
    config = TabularConfig.model_validate(spec["config"])
    assert config.hyperparameter_search.n_trials == 100
    assert config.options.early_stopping_rounds == 10


def test_snake_case_is_read_as_camel_case() -> None:
    snake = TabularConfig.model_validate(
        {"train_data_path": "/a.csv", "target_column": "y", "hyperparameter_search": {"n_trials": 3}}
    )
    camel = TabularConfig.model_validate(
        {"trainDataPath": "/a.csv", "targetColumn": "y", "hyperparameterSearch": {"nTrials": 3}}
    )
    assert snake == camel


@pytest.mark.parametrize("by_alias", [True, False])
@pytest.mark.parametrize("more", [{}, {"testDataPath": "/data/u.csv"}, {"validationStrategy": "kfold"}])
def test_a_stored_config_reads_back_as_itself(more: dict[str, Any], by_alias: bool) -> None:
    config = parse(**more)
    assert TabularConfig.model_validate(config.model_dump(mode="json", by_alias=by_alias)) == config


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"algorithm": "ebm"}, "ebm"),
        ({"modelType": "time_series"}, "time_series"),
        ({"validationStrategy": "holdout"}, "holdout"),
        ({"experimentTracking": {"trackingUri": "databricks://team"}}, "databricks"),
        ({"trainDataPath": "mysql://host/db?query=SELECT 1"}, "mysql"),
        ({"trainDataPath": "s3://bucket/t.csv"}, "s3"),
        ({"trainDataPath": "/data/t.orc"}, "orc"),
        *[({key: {"x": 1}}, key) for key in sorted(PLANNED["key"])],
    ],
)
def test_what_is_not_built_is_refused_by_name(more: dict[str, Any], says: str) -> None:
    with pytest.raises(NotYet, match=says):
        parse(**more)


@pytest.mark.parametrize(
    ("more", "meant"),
    [
        ({"algorithm": "lightgmb"}, "lightgbm"),
        ({"validationStrategy": "stratifed"}, "stratified"),
        ({"alogrithm": "ridge"}, "algorithm"),
        ({"hyperparameterSearch": {"nTrails": 3}}, "nTrials"),
        ({"options": {"verbose": 1}}, "verbosity"),
        ({"hyperparameterSearch": {"sampler": "randm"}}, "random"),
        ({"algorithm": "xgb", "hyperparameterSearch": {"space": {"max_dept": {"low": 1}}}}, "max_depth"),
        ({"metric": "roc_acu"}, "roc_auc"),
        ({"trainDataPath": "sklearn:breast_cancr"}, "breast_cancer"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(more: dict[str, Any], meant: str) -> None:
    with pytest.raises(UnknownName, match=f"Did you mean '{meant}'"):
        parse(**more)


@pytest.mark.parametrize(
    "more",
    [
        {"algorithm": "ridge", "modelType": "classification"},
        {"algorithm": "logistic", "modelType": "regression"},
        {"algorithm": "logistic", "options": {"earlyStoppingRounds": 5}},
        {"modelType": "regression", "validationStrategy": "stratified"},
        {"modelType": "regression", "metric": "roc_auc"},
        {"metric": "rmse", "direction": "maximize"},
        {"direction": "maximize"},
        {"hyperparameterSearch": {"space": {"C": {"low": 1}}}},
        {"algorithm": "svm", "hyperparameterSearch": {"space": {"C": {"low": 3, "high": 2}}}},
        {"algorithm": "svm", "hyperparameterSearch": {"space": {"C": {"low": 0}}}},
        {"algorithm": "svm", "hyperparameterSearch": {"space": {"C": {}}}},
        {"algorithm": "svm", "hyperparameterSearch": {"space": {"gamma": {"low": 1}}}},
        {"algorithm": "knn", "hyperparameterSearch": {"space": {"weights": {"choices": ["heavy"]}}}},
        {"algorithm": "knn", "hyperparameterSearch": {"space": {"n_neighbors": {"low": 1.5}}}},
        {"algorithm": "knn", "hyperparameterSearch": {"enabled": False, "space": {"n_neighbors": {"low": 1}}}},
        {"features": ["a", "y"]},
        {"testSize": 0.3, "testDataPath": "/data/u.csv"},
        {"targetColumn": None},
    ],
)
def test_what_does_not_fit_together_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec):
        parse(**more)


def test_a_sampler_whose_library_is_absent_is_refused_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "find_spec", lambda name: None)
    for sampler, package in (("gp", "torch"), ("cmaes", "cmaes")):
        with pytest.raises(MissingDependency) as raised:
            parse(hyperparameterSearch={"sampler": sampler})
        assert raised.value.hint == f"pip install {package}"


@pytest.mark.parametrize("search", [{"nTrials": 0}, {"nTrials": 100_001}, {"timeout": 0}, {"nTrials": "many"}])
def test_bounds_are_kept(search: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parse(hyperparameterSearch=search)


def test_a_planned_key_that_asks_for_nothing_passes() -> None:
    assert parse(ensemble=False, sensitiveFeatures=[], classWeight=None) == parse()


def test_an_agents_call_is_mapped_and_what_is_not_understood_is_listed() -> None:
    prompt = {
        "task": "Train a random forest classifier",
        "context": {"dataPath": "/d.csv", "target": "churned", "region": "EU"},
        "instructions": ["Use at least 7-fold stratified cross-validation", "Search 40 trials", "Be nice"],
    }
    spec = read({"kind": "agent", "agent": {"prompt": prompt}, "io": {"outputJsonPath": "/out.json"}})
    assert spec is not None
    config = TabularConfig.model_validate(spec["config"])
    assert (config.algorithm, config.model_type) == ("random_forest", "classification")
    assert (config.validation_strategy.folds, config.hyperparameter_search.n_trials) == (7, 40)
    assert config.unrecognized == ["region: EU", "Be nice"]


def test_an_agents_wish_for_mlflow_enables_tracking() -> None:
    prompt = {"context": {"dataPath": "/d.csv", "target": "y", "businessRequirement": "log everything to MLflow"}}
    spec = read({"kind": "agent", "agent": {"prompt": prompt}})
    assert spec is not None
    assert TabularConfig.model_validate(spec["config"]).experiment_tracking.enabled


@pytest.mark.parametrize("alias", ["latest", "v3", "a b", "", "x/y", "é"])
def test_an_alias_that_mlflow_keeps_or_refuses_is_refused(alias: str) -> None:
    with pytest.raises(InvalidSpec, match="alias"):
        parse(experimentTracking={"modelAlias": alias})


def test_tracking_without_mlflow_is_refused_at_submission(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingDependency, match="mlflow"):
        parse(experimentTracking={"enabled": True})
    assert not parse(experimentTracking={"enabled": False}).experiment_tracking.enabled


@pytest.mark.parametrize("document", [{"service": "tabular", "config": {}}, {"task": "other"}, {}])
def test_documents_of_others_are_left_alone(document: dict[str, Any]) -> None:
    assert read(document) is None


def test_names_and_registry_agree() -> None:
    assert set(ALGORITHMS) == set(REGISTRY) == set(FACTORIES)
    for entry in REGISTRY.values():
        assert set(entry.defaults) == set(entry.space)
        for name, dimension in entry.space.items():
            assert dimension.holds(entry.defaults[name])


@pytest.mark.parametrize("preset", sorted(SERVICE.presets))
def test_presets_are_valid(preset: str) -> None:
    parse(**SERVICE.presets[preset])


def test_declaring_and_configuring_imports_no_learner() -> None:
    code = (
        "import sys, tutelage.services.tabular.config, tutelage.services.tabular.documents;"
        "print({'sklearn', 'lightgbm', 'optuna', 'pandas', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("wish", "means"),
    [
        ("Handle class imbalance", {"classWeight": "balanced"}),
        ("Handle class imbalance with SMOTE", {"resampling": {"type": "smote"}}),
        ("Find customer segments", {"modelType": "clustering"}),
        ("Use k-means", {"algorithm": "kmeans", "modelType": "clustering"}),
        ("Probabilities must be calibrated", {"calibration": "sigmoid"}),
    ],
)
def test_an_agents_wish_by_the_table_of_phrases(wish: str, means: dict[str, Any]) -> None:
    spec = read({"kind": "agent", "agent": {"prompt": {"context": {"dataPath": "/d.csv"}, "instructions": [wish]}}})
    assert spec is not None
    assert spec["config"] == {"trainDataPath": "/d.csv", "unrecognized": [], **means}
