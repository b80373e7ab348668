from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tabular_support import config, job, make_run, make_table

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.errors import DataUnreadable, FeatureMissing
from tutelage.services.tabular.evaluation.advice import RULES
from tutelage.services.tabular.handoffs import recorded, take
from tutelage.services.tabular.handoffs.meanings import MEANINGS
from tutelage.services.tabular.handoffs.read import read_handoff
from tutelage.services.tabular.plan import as_categories, check_named


@pytest.fixture
def taken(home: Path, small_csv: Path) -> Any:
    """Take the hand-offs of a job on the small table; return the job then, and what is recorded."""

    def take_them(**more: Any) -> tuple[TabularConfig, dict[str, Any]]:
        run = make_run(home)
        changed = take(config(job(small_csv, **more)), run)
        return changed, recorded(run)

    return take_them


def option(found: TabularConfig, dotted: str) -> Any:
    node: Any = found.model_dump(mode="json", by_alias=True)
    for part in dotted.split("."):
        node = node[part]
    return node


@pytest.mark.parametrize(
    ("item", "where", "value"),
    [
        ({"action": "drop", "column": "spend"}, "excludeFeatures", ["spend"]),
        ({"type": "leakage", "columns": ["spend", "age"]}, "excludeFeatures", ["spend", "age"]),
        ({"feature": "member", "leakage": True, "type": "boolean"}, "excludeFeatures", ["member"]),
        ({"feature": "age", "recommendation": "Treat as categorical"}, "categoricalFeatures", ["age"]),
        ("Drop the columns spend and `age`.", "excludeFeatures", ["spend", "age"]),
        ("treat age as categorical", "categoricalFeatures", ["age"]),
        ({"code": "class_imbalance"}, "classWeight", "balanced"),
        ("The classes are imbalanced", "classWeight", "balanced"),
        ({"issue": "low_recall"}, "optimizeFor", "recall"),
        ("Too many false positives; keep the rest", "optimizeFor", "precision"),
        ({"action": "use_metric", "metric": "log_loss"}, "metric", "log_loss"),
        ({"action": "try_algorithm", "algorithm": "extra_trees"}, "algorithm", "extra_trees"),
        ({"code": "more_trials"}, "hyperparameterSearch.nTrials", 60),
        ({"code": "overfitting"}, "options.earlyStoppingRounds", 20),
        ({"code": "unstable_folds"}, "validationStrategy.folds", 10),
        ("use stratified folds", "validationStrategy.type", "stratified_kfold"),
    ],
)
@pytest.mark.parametrize("key", ["edaDocument", "evaluatorFeedback"])
def test_the_table_of_meanings(taken: Any, key: str, item: Any, where: str, value: Any) -> None:
    changed, record = taken(**{key: {"recommendations": [item]}})
    assert option(changed, where) == value
    assert where in [entry["option"] for entry in record["applied"]]
    assert all(entry["source"] == key for entry in record["applied"])


def test_the_job_s_own_keys_win(taken: Any) -> None:
    feedback = {"recommendations": [{"code": "more_trials"}, {"code": "low_recall"}, {"code": "class_imbalance"}]}
    own = {"hyperparameter_search": {"n_trials": 30}, "optimizeFor": "precision", "algorithm": "auto"}
    changed, record = taken(evaluatorFeedback=feedback, **own)
    assert (changed.hyperparameter_search.n_trials, changed.optimize_for, changed.class_weight) == (
        30,
        "precision",
        "balanced",
    )
    assert {entry["option"]: entry["why"] for entry in record["notApplied"]} == {
        "hyperparameterSearch.nTrials": "the job gives this itself",
        "optimizeFor": "the job gives this itself",
    }


def test_a_wish_the_job_has_not_given_is_still_given_after_it_was_stored(small_csv: Path) -> None:
    asked = config(job(small_csv, edaDocument={"recommendations": []}, algorithm="svm"))
    stored = TabularConfig.model_validate(asked.model_dump(mode="json", by_alias=True))
    assert stored.given_keys == ["algorithm", "targetColumn", "trainDataPath"]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"action": "drop", "column": "nosuch"}, "the table has no such column"),
        ({"action": "drop", "column": "y"}, "names the target"),
        ({"action": "use_metric", "metric": "rmse"}, "no metric of classification"),
        ({"action": "try_algorithm", "algorithm": "ridge"}, "does not do classification"),
        ({"action": "try_algorithm", "algorithm": "magic"}, "unknown algorithm"),
        ("log everything with MLflow", "not built yet"),
    ],
)
def test_what_does_not_fit_is_not_applied_and_says_why(taken: Any, item: Any, why: str) -> None:
    _, record = taken(edaDocument={"recommendations": [item]})
    if "MLflow" in str(item) and not record["notApplied"]:
        return  # tracking is built
    assert not record["applied"]
    assert why in record["notApplied"][0]["why"]


def test_what_needs_classes_is_not_applied_to_numbers(home: Path, tmp_path: Path) -> None:
    table = tmp_path / "numbers.csv"
    make_table(regression=True).to_csv(table, index=False)
    run = make_run(home)
    wishes = [{"code": "class_imbalance"}, {"code": "low_recall"}, {"code": "stratify"}]
    changed = take(config(job(table, edaDocument={"recommendations": wishes})), run)
    assert changed.class_weight is None
    assert len(recorded(run)["notApplied"]) == 3


def test_what_is_not_understood_is_listed(taken: Any) -> None:
    document = {
        "summary": {"rows": 3},
        "astrology": ["mercury"],
        "recommendations": ["Buy a boat", {"action": "paint"}, 7],
        "featureAssessment": {"age": "keep", "city": {"quality": "fine"}},
    }
    changed, record = taken(edaDocument=document)
    assert record["applied"] == []
    listed = " ".join(changed.unrecognized)
    for part in ("astrology", "Buy a boat", "paint", "7", "fine"):
        assert part in listed
    assert "summary" not in listed


def test_a_file_is_read_and_every_attempt_goes_by_the_first(home: Path, small_csv: Path, tmp_path: Path) -> None:
    path = tmp_path / "eda.json"
    path.write_text(json.dumps({"recommendations": [{"action": "drop", "column": "age"}]}))
    run = make_run(home)
    asked = config(job(small_csv, edaDocumentPath=str(path)))
    assert take(asked, run).exclude_features == ["age"]
    path.unlink()
    assert take(asked, run).exclude_features == ["age"]


@pytest.mark.parametrize("content", ["{", "3", '"text"'])
def test_a_document_that_is_none_is_an_error_of_its_own(tmp_path: Path, content: str) -> None:
    path = tmp_path / "eda.json"
    path.write_text(content)
    with pytest.raises(DataUnreadable, match="edaDocument"):
        read_handoff("edaDocument", str(path))
    with pytest.raises(DataUnreadable, match="cannot be read"):
        read_handoff("edaDocument", str(tmp_path / "none.json"))


def test_without_hand_offs_nothing_is_recorded(taken: Any) -> None:
    changed, record = taken()
    assert record == {}
    assert changed.given_keys is None


def test_a_code_has_one_meaning() -> None:
    codes = [code for several in MEANINGS.values() for code in several]
    assert len(codes) == len(set(codes))
    assert {"low_recall", "more_trials", "unstable_folds"} <= {rule.code for rule in RULES} & set(codes)


@pytest.mark.parametrize(
    "more",
    [
        {"edaDocument": {}, "edaDocumentPath": "/e.json"},
        {"edaDocument": "eda.json"},
        {"excludeFeatures": ["a"], "features": ["a"]},
        {"excludeFeatures": ["a"], "categoricalFeatures": ["a"]},
        {"sensitiveFeatures": ["y"]},
        {"excludeFeatures": ["y"]},
    ],
)
def test_what_contradicts_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec):
        config(job(Path("/data/t.csv"), **more))


def test_a_named_column_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(FeatureMissing, match="Did you mean 'spend'"):
        check_named(["spent"], make_table(10))
    with pytest.raises(FeatureMissing):
        as_categories([], ["age"])
