from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tutelage.services.tabular.catalog import CLASSIFICATION, REGRESSION
from tutelage.services.tabular.evaluation.advice import RULES
from tutelage.services.tabular.evaluation.document import evaluation_of
from tutelage.services.tabular.evaluation.grid import business_impact, threshold_analysis
from tutelage.services.tabular.evaluation.measures import Outcome, intervals, measure_of, outcome_of
from tutelage.services.tabular.evaluation.slices import groups_of, slice_metrics
from tutelage.services.tabular.fitting.scores import score

NUM = 400


def a_test(num_classes: int = 2, *, threshold: float | None = None, costs: Any = None, seed: int = 0) -> Outcome:
    dice = np.random.default_rng(seed)
    classes = [f"c{index}" for index in range(num_classes)]
    truth = dice.integers(0, num_classes, NUM)
    raw = dice.random((NUM, num_classes)).round(1) + 0.05
    raw[np.arange(NUM), truth] += 0.5
    frame = pd.DataFrame({"city": dice.choice(["Oslo", "Bern"], NUM), "age": dice.integers(18, 80, NUM)})
    return outcome_of(
        task=CLASSIFICATION,
        classes=classes,
        truth=np.asarray(classes)[truth],
        predictions=raw / raw.sum(axis=1, keepdims=True),
        threshold=threshold,
        frame=frame,
        rows=np.arange(NUM) + 1000,
        costs=costs,
    )


def numbers(seed: int = 0) -> Outcome:
    dice = np.random.default_rng(seed)
    truth = dice.normal(50, 10, NUM)
    frame = pd.DataFrame({"city": dice.choice(["Oslo", "Bern"], NUM), "age": dice.integers(18, 80, NUM)})
    said = truth + dice.normal(0, 2, NUM) + 8 * (frame["city"] == "Oslo")
    return outcome_of(
        task=REGRESSION, classes=[], truth=truth, predictions=said, threshold=None, frame=frame, rows=np.arange(NUM)
    )


def result_of(test: Outcome, *, objective: str) -> dict[str, Any]:
    measured = measure_of(test)(np.ones(NUM))
    folds = {f"{objective}_mean": measured[objective], f"{objective}_std": 0.01}
    metadata = {"objective": objective, "baseline": {objective: 0.5}, "rowsTest": NUM}
    metadata |= {"bestTrialNumber": 3, "nTrials": 20}
    metrics = {"test": measured, "crossValidation": folds}
    return {"metrics": metrics, "metadata": metadata, "featureImportance": {"city": 0.5, "age": 0.5}}


def evaluated(test: Outcome, *, sensitive: list[str], objective: str) -> dict[str, Any]:
    result = result_of(test, objective=objective)
    shares = result["featureImportance"]
    return evaluation_of(test, result, importance=shares, used=["age"], sensitive=sensitive, seed=1)


@pytest.mark.parametrize(("num_classes", "threshold"), [(2, None), (2, 0.3), (4, None)])
def test_scores_with_equal_weights_are_those_of_the_fits(num_classes: int, threshold: float | None) -> None:
    test = a_test(num_classes, threshold=threshold)
    names = np.asarray(test.classes)
    wanted = score(CLASSIFICATION, names[test.truth], test.shares, names, threshold=threshold)
    assert measure_of(test)(np.ones(NUM)) == pytest.approx(wanted, abs=1e-12)


def test_scores_of_numbers_with_equal_weights_are_those_of_the_fits() -> None:
    test = numbers()
    assert measure_of(test)(np.ones(NUM)) == pytest.approx(score(REGRESSION, test.truth, test.said, None), abs=1e-10)


@pytest.mark.parametrize("num_classes", [2, 3])
def test_a_weight_of_two_counts_as_the_row_twice(num_classes: int) -> None:
    test = a_test(num_classes)
    twice = np.r_[np.arange(NUM), np.arange(50)]
    weights = np.bincount(twice, minlength=NUM).astype(float)
    names = np.asarray(test.classes)
    wanted = score(CLASSIFICATION, names[test.truth[twice]], test.shares[twice], names)
    assert measure_of(test)(weights) == pytest.approx(wanted, abs=1e-12)


def test_after_the_deadline_scores_have_no_intervals() -> None:
    test = a_test()
    found = intervals(measure_of(test), NUM, seed=3, deadline_s=0.0)
    assert found["roc_auc"]["value"] == intervals(measure_of(test), NUM, seed=3)["roc_auc"]["value"]
    assert all((part["low"], part["high"]) == (None, None) for part in found.values())


def test_an_interval_holds_its_value_and_has_the_width_of_the_closed_form() -> None:
    test = a_test()
    found = intervals(measure_of(test), NUM, seed=3)
    assert all(entry["low"] <= entry["value"] <= entry["high"] for entry in found.values())
    accuracy = found["accuracy"]
    normal = 2 * 1.96 * np.sqrt(accuracy["value"] * (1 - accuracy["value"]) / NUM)
    assert accuracy["high"] - accuracy["low"] == pytest.approx(normal, rel=0.15)
    assert intervals(measure_of(test), NUM, seed=3) == found


def test_a_score_that_a_resample_rarely_has_gets_no_interval() -> None:
    test = a_test()
    one_class = np.flatnonzero(test.truth == 1)[:20]
    some = outcome_of(
        task=CLASSIFICATION,
        classes=test.classes,
        truth=np.asarray(test.classes)[test.truth[one_class]],
        predictions=test.shares[one_class],
        threshold=None,
        frame=test.frame.iloc[one_class],
        rows=one_class,
    )
    found = intervals(measure_of(some), len(one_class), seed=0)
    assert "roc_auc" not in found
    assert found["accuracy"]["low"] is not None


def test_thresholds_have_what_a_count_by_hand_gives() -> None:
    test = a_test(threshold=0.37, costs=(1.0, 7.0))
    found = threshold_analysis(test)
    assert found is not None
    assert (found["chosen"], found["default"]) == (0.37, 0.5)
    at = next(entry for entry in found["grid"] if entry["threshold"] == 0.37)
    said = test.shares[:, 1] >= 0.37
    assert at["recall"] == (said & (test.truth == 1)).sum() / (test.truth == 1).sum()
    alarms, misses = (said & (test.truth == 0)).sum(), (~said & (test.truth == 1)).sum()
    assert at["cost"] == alarms + 7 * misses
    impact = business_impact(test, seed=0)
    assert impact is not None
    assert impact["costChosen"] == at["cost"]
    assert impact["costTrivial"] == min((test.truth == 0).sum(), 7 * (test.truth == 1).sum())
    assert impact["savedAgainstTrivial"] == impact["costTrivial"] - impact["costChosen"]
    assert impact["costPerRow"]["low"] < impact["costPerRow"]["value"] < impact["costPerRow"]["high"]


def test_without_two_classes_or_costs_there_is_no_threshold_and_no_cost() -> None:
    assert threshold_analysis(a_test(3)) is None
    assert threshold_analysis(numbers()) is None
    assert business_impact(a_test(), seed=0) is None


def test_groups_are_categories_or_quarters_of_the_numbers() -> None:
    ages = groups_of(pd.Series([*range(100), None]))
    assert [int(mask.sum()) for mask in ages.values()] == [25, 25, 25, 25, 1]
    few = groups_of(pd.Series([1, 2] * 30))
    assert sorted(few) == ["(other)", "1", "2"]
    many = groups_of(pd.Series([f"t{index}" for index in range(40)]))
    assert int(many["(other)"].sum()) == 30
    assert groups_of(pd.Series([None] * 5, dtype=object))["(missing)"].all()


def test_the_group_that_is_served_worse_is_named_and_chance_is_not() -> None:
    test = numbers()
    found = slice_metrics(test, ["city", "age", "city"])
    assert found["worst"][0]["column"] == "city"
    assert found["worst"][0]["group"] == "Oslo"
    assert {item["column"] for item in found["worst"]} == {"city"}
    assert all(item["rows"] >= 30 for item in found["slices"])


def test_rates_by_group_and_their_differences_are_those_of_a_count_by_hand() -> None:
    test = a_test()
    (entry,) = evaluated(test, sensitive=["city"], objective="roc_auc")["sensitiveFeatures"]
    assert entry["usedAsFeature"] is False
    rates = {group["group"]: group for group in entry["groups"]}
    oslo = (test.frame["city"] == "Oslo").to_numpy()
    assert rates["Oslo"]["selectionRate"] == pytest.approx((test.said[oslo] == 1).mean())
    assert rates["Oslo"]["truePositiveRate"] == pytest.approx((test.said[oslo & (test.truth == 1)] == 1).mean())
    gap = abs(rates["Oslo"]["selectionRate"] - rates["Bern"]["selectionRate"])
    assert entry["differences"]["demographicParityDifference"]["value"] == pytest.approx(gap)
    odds = max(abs(rates["Oslo"][name] - rates["Bern"][name]) for name in ("truePositiveRate", "falsePositiveRate"))
    assert entry["differences"]["equalizedOddsDifference"]["value"] == pytest.approx(odds)


def test_the_bias_of_a_group_of_numbers_is_seen() -> None:
    found = evaluated(numbers(), sensitive=["city", "age"], objective="rmse")
    city, age = found["sensitiveFeatures"]
    assert city["differences"]["biasDifference"]["low"] > 6
    assert age["usedAsFeature"] is True
    assert "worse_groups" in [item["code"] for item in found["recommendations"]]
    assert found["thresholdAnalysis"] is None


def test_small_groups_are_counted_and_left_out() -> None:
    test = a_test()
    test.frame["rare"] = ["x"] * 390 + ["y"] * 10
    (entry,) = evaluated(test, sensitive=["rare"], objective="roc_auc")["sensitiveFeatures"]
    assert entry["leftOut"] == {"y": 10}
    assert entry["differences"] == {}


def test_the_most_confident_errors_come_first_by_their_row_in_the_source() -> None:
    test = a_test()
    errors = evaluated(test, sensitive=[], objective="roc_auc")["errorAnalysis"]
    shares = [entry["probability"] for entry in errors["confidentErrors"]]
    assert shares == sorted(shares, reverse=True)
    first = errors["confidentErrors"][0]
    index = first["row"] - 1000
    assert test.truth[index] != test.said[index]
    assert errors["errors"] == (test.truth != test.said).sum() == sum(item["rows"] for item in errors["confusionPairs"])


def test_the_largest_residuals_come_first() -> None:
    errors = evaluated(numbers(), sensitive=[], objective="rmse")["errorAnalysis"]
    sizes = [abs(entry["residual"]) for entry in errors["largestResiduals"]]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(part["rows"] for part in errors["byTruth"]) == NUM


@pytest.mark.parametrize("test", [a_test(), a_test(3), a_test(threshold=0.2, costs=(1.0, 2.0)), numbers()])
def test_every_document_is_json_and_names_its_rules(test: Outcome) -> None:
    objective = "log_loss" if test.has_classes else "rmse"
    found = evaluated(test, sensitive=["city"], objective=objective)
    json.dumps(found, allow_nan=False)
    assert {item["code"] for item in found["recommendations"]} <= {rule.code for rule in RULES}


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("no_better_than_trivial", {"metadata": {"baseline": {"roc_auc": 0.999}}}),
    ("test_worse_than_folds", {"metrics": {"crossValidation": {"roc_auc_mean": 2.0, "roc_auc_std": 0.01}}}),
    ("unstable_folds", {"metrics": {"crossValidation": {"roc_auc_mean": 0.8, "roc_auc_std": 0.2}}}),
    ("low_recall", {"metrics": {"test": {"recall": 0.2}}}),
    ("small_test", {"metadata": {"rowsTest": 100}}),
    ("more_trials", {"metadata": {"bestTrialNumber": 19}}),
    ("one_column_decides", {"featureImportance": {"city": 0.95}}),
]


@pytest.mark.parametrize(("code", "change"), CHANGES)
def test_a_rule_speaks_when_its_figures_do(code: str, change: dict[str, Any]) -> None:
    test = a_test()
    result = result_of(test, objective="roc_auc")
    before = evaluation_of(test, result, importance={}, used=[], sensitive=[], seed=0)["recommendations"]
    assert code not in [item["code"] for item in before]
    for part, values in change.items():
        for key, value in values.items():
            result[part][key] = {**result[part][key], **value} if isinstance(value, dict) else value
    after = evaluation_of(test, result, importance={}, used=[], sensitive=[], seed=0)["recommendations"]
    assert code in [item["code"] for item in after]


def test_unequal_groups_are_those_whose_difference_is_more_than_chance() -> None:
    even = evaluated(a_test(), sensitive=["city"], objective="roc_auc")
    assert "unequal_groups" not in [item["code"] for item in even["recommendations"]]
    test = a_test()
    test.frame["city"] = np.where(test.said == 1, "Oslo", "Bern")
    found = evaluated(test, sensitive=["city"], objective="roc_auc")
    assert "unequal_groups" in [item["code"] for item in found["recommendations"]]
