from __future__ import annotations

from typing import Any

import pytest
from tabular_support import config

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.services.tabular.report.gates import judge_gates, unmet_sentences

PLAIN: dict[str, Any] = {"trainDataPath": "/data/t.csv", "targetColumn": "y"}
RESULT: dict[str, Any] = {
    "metrics": {
        "test": {"roc_auc": 0.81, "recall": 0.5},
        "crossValidation": {"roc_auc_mean": 0.9, "roc_auc_std": 0.02, "recall_mean": 0.7},
    },
    "metadata": {"objective": "roc_auc", "dataQuality": {"score": 92, "reasons": []}, "modelBytes": 2**20},
}


def with_objective(name: str, *, test: float | None, mean: float, **metadata: Any) -> dict[str, Any]:
    metrics = {"test": {} if test is None else {name: test}, "crossValidation": {f"{name}_mean": mean}}
    return {"metrics": metrics, "metadata": {"objective": name, **metadata}}


@pytest.mark.parametrize(
    ("name", "rule", "value", "met"),
    [
        ("test.roc_auc", ">= 0.81", 0.81, True),
        ("test.roc_auc", "> 0.81", 0.81, False),
        ("cv.recall", "<= 0.7", 0.7, True),
        ("cv_mean", "< 0.9", 0.9, False),
        ("cv_std", "< 0.05", 0.02, True),
        ("test_drop", "<= 0.10", 0.1, True),
        ("test_drop", "< 5e-2", 0.1, False),
        ("quality", ">= 70", 92.0, True),
        ("model_mib", "<= 1", 1.0, True),
    ],
)
def test_a_rule_holds_or_not_for_the_measured_value(name: str, rule: str, value: float, met: bool) -> None:
    judged = judge_gates({name: rule}, RESULT)
    assert judged["gates"] == [{"name": name, "rule": rule, "value": pytest.approx(value), "met": met}]
    assert judged["gatesMet"] is met


@pytest.mark.parametrize(
    ("name", "result", "why"),
    [
        ("test.f1", RESULT, "the test has no f1"),
        ("cv.f1", RESULT, "the cross-validation has no f1"),
        ("latency_ms", RESULT, "the latency was not timed"),
        ("quality", with_objective("rmse", test=1.0, mean=1.0), "the data were not scored"),
        ("cv_std", with_objective("rmse", test=1.0, mean=1.0), "no fold was scored by rmse"),
        ("test_drop", with_objective("rmse", test=None, mean=1.0), "rmse was not scored on the test"),
        ("test_drop", with_objective("r2", test=0.5, mean=0.0), "there is no share of it"),
        (
            "test_drop",
            with_objective("accuracy", test=0.9, mean=0.9, threshold={"outOfFold": {"f1": 0.5}}),
            "known for the test alone",
        ),
    ],
)
def test_what_was_not_measured_is_not_met_and_says_why(name: str, result: dict[str, Any], why: str) -> None:
    judged = judge_gates({name: ">= -1000"}, result)
    (entry,) = judged["gates"]
    assert (entry["value"], entry["met"], judged["gatesMet"]) == (None, False, False)
    assert why in entry["reason"]
    assert why in unmet_sentences(judged)[0]


@pytest.mark.parametrize(
    ("result", "drop"),
    [
        (with_objective("rmse", test=11.0, mean=10.0), 0.1),
        (with_objective("rmse", test=9.0, mean=10.0), -0.1),
        (with_objective("r2", test=-0.6, mean=-0.5), 0.2),
        (with_objective("recall", test=0.6, mean=0.9, threshold={"outOfFold": {"recall": 0.8}}), 0.25),
    ],
)
def test_a_drop_is_what_the_test_is_worse_by_as_a_share_of_the_folds(result: dict[str, Any], drop: float) -> None:
    assert judge_gates({"test_drop": "< 9"}, result)["gates"][0]["value"] == pytest.approx(drop)


def test_without_rules_nothing_is_judged() -> None:
    assert judge_gates({}, RESULT) == {}


def test_names_and_rules_are_read_in_either_case_and_spacing() -> None:
    assert config({**PLAIN, "gates": {"test.rocAuc": ">=.85", "cvStd": " < 5e-2 "}}).gates == {
        "test.roc_auc": ">= .85",
        "cv_std": "< 5e-2",
    }


@pytest.mark.parametrize("rule", ["=> 1", "0.85", "== 1", ">= high", ">= nan", ">= 1 %", "", "<> 1"])
def test_a_rule_that_is_none_is_refused_with_the_operators(rule: str) -> None:
    with pytest.raises(InvalidSpec, match="operator and a number") as raised:
        config({**PLAIN, "gates": {"quality": rule}})
    assert ">=, <=, >, <" in raised.value.hint


@pytest.mark.parametrize(
    ("name", "task", "nearest"),
    [
        ("test.roc_acu", None, "test.roc_auc"),
        ("qualty", None, "quality"),
        ("cv.stdd", None, "cv_std"),
        ("test.mse", "regression", "test.rmse"),
    ],
)
def test_an_unknown_gate_is_answered_with_the_nearest(name: str, task: str | None, nearest: str) -> None:
    with pytest.raises(UnknownName, match=f"Did you mean '{nearest}'"):
        config({**PLAIN, "modelType": task, "gates": {name: "> 0"}})


def test_a_gate_of_another_task_and_one_given_twice_are_refused() -> None:
    with pytest.raises(UnknownName, match="gate for regression"):
        config({**PLAIN, "modelType": "regression", "gates": {"test.roc_auc": "> 0"}})
    with pytest.raises(InvalidSpec, match="given twice"):
        config({**PLAIN, "gates": {"cv_std": "> 0", "cvStd": "> 0"}})
