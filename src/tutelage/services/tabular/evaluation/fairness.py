"""The test by the groups of sensitive columns: rates, their differences, and how sure those are.

Demographic parity difference: greatest minus least selection rate. Equalized odds difference: the greater of the
ranges of true and of false positive rates (Hardt, Price and Srebro 2016). Selected = predicted as the second class.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tutelage.services.tabular.evaluation.measures import Outcome, Scores, intervals, num_resamples
from tutelage.services.tabular.evaluation.slices import LEAST_ROWS, groups_of

RATES = ("selectionRate", "truePositiveRate", "falsePositiveRate", "accuracy")
NOTE = "differences of the largest and smallest group lie above zero by chance alone; read them with their intervals"


def sensitive_groups(test: Outcome, names: Iterable[str], *, used: Iterable[str], seed: int) -> list[dict[str, Any]]:
    """Return, for each sensitive column, its groups of at least 30 rows and the differences between them."""
    learned = set(used)
    return [_column(test, name, is_feature=name in learned, seed=seed) for name in names]


def _column(test: Outcome, name: str, *, is_feature: bool, seed: int) -> dict[str, Any]:
    groups = {group: mask for group, mask in groups_of(test.frame[name]).items() if mask.any()}
    large = {group: mask for group, mask in groups.items() if mask.sum() >= LEAST_ROWS}
    found: dict[str, Any] = {
        "column": name,
        "usedAsFeature": is_feature,
        "leastRows": LEAST_ROWS,
        "leftOut": {group: int(mask.sum()) for group, mask in groups.items() if group not in large},
        "groups": [
            {"group": group, "rows": int(mask.sum()), **group_rates(test, mask.astype(float))}
            for group, mask in large.items()
        ],
    }
    if len(large) < 2:
        return {**found, "differences": {}, "note": "fewer than two groups have 30 rows: nothing can be compared"}
    masks = list(large.values())
    differences = intervals(lambda weights: _differences(test, masks, weights), len(test.truth), seed=seed)
    return {**found, "differences": differences, "resamples": num_resamples(len(test.truth)), "note": NOTE}


def group_rates(test: Outcome, weights: Any) -> Scores:
    """Return a group's rates; one without rows to measure it on is left out."""
    if not test.has_classes:
        error = test.said - test.truth
        total = weights.sum()
        return {"mae": float(weights @ np.abs(error) / total), "bias": float(weights @ error / total)}
    found: Scores = {}
    if test.is_binary:
        positive, selected = test.truth == 1, test.said == 1
        found = {
            **_rate("selectionRate", weights, selected, np.ones_like(selected)),
            **_rate("truePositiveRate", weights, selected, positive),
            **_rate("falsePositiveRate", weights, selected, ~positive),
        }
    return {**found, **_rate("accuracy", weights, test.truth == test.said, np.ones(len(test.truth), dtype=bool))}


def _rate(name: str, weights: Any, hit: Any, among: Any) -> Scores:
    total = float(weights @ among)
    return {name: float(weights @ (hit & among)) / total} if total > 0 else {}


def _differences(test: Outcome, masks: list[Any], weights: Any) -> Scores:
    rates = [group_rates(test, weights * mask) for mask in masks if (weights * mask).any()]
    ranges = {
        name: max(values) - min(values)
        for name in dict.fromkeys(key for item in rates for key in item)
        if len(values := [item[name] for item in rates if name in item]) >= 2
    }
    if not test.has_classes:
        return {f"{name}Difference": value for name, value in ranges.items()}
    found = {"accuracyDifference": ranges["accuracy"]} if "accuracy" in ranges else {}
    if "selectionRate" in ranges:
        found["demographicParityDifference"] = ranges["selectionRate"]
    if {"truePositiveRate", "falsePositiveRate"} <= set(ranges):
        found["equalizedOddsDifference"] = max(ranges["truePositiveRate"], ranges["falsePositiveRate"])
    return found
