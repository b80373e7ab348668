"""The test by the groups of sensitive columns: rates, their differences, and how sure those are.

Demographic parity difference: greatest minus least selection rate. Equalized odds difference: the greater of the
ranges of true and of false positive rates (Hardt, Price and Srebro 2016). Selected = predicted as the second class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tutelage.services.tabular.evaluation.measures import Outcome, Scores, resampled, spreads
from tutelage.services.tabular.evaluation.slices import LEAST_ROWS, groups_of

NOTE = "differences of the largest and smallest group lie above zero by chance alone; read them with their intervals"


def sensitive_groups(
    test: Outcome, names: Iterable[str], *, used: Iterable[str], seed: int, deadline_s: float | None = None
) -> list[dict[str, Any]]:
    """Return, for each sensitive column, its groups of at least 30 rows and the differences between them."""
    learned = set(used)
    return [_column(test, name, is_feature=name in learned, seed=seed, deadline_s=deadline_s) for name in names]


def _column(
    test: Outcome, name: str, *, is_feature: bool, seed: int, deadline_s: float | None = None
) -> dict[str, Any]:
    groups = {group: mask for group, mask in groups_of(test.frame[name]).items() if mask.any()}
    large = {group: mask for group, mask in groups.items() if mask.sum() >= LEAST_ROWS}
    found: dict[str, Any] = {
        "column": name,
        "usedAsFeature": is_feature,
        "leastRows": LEAST_ROWS,
        "leftOut": {group: int(mask.sum()) for group, mask in groups.items() if group not in large},
        "groups": [
            {"group": group, "rows": int(mask.sum()), **group_rates(test, mask)} for group, mask in large.items()
        ],
    }
    if len(large) < 2:
        return {**found, "differences": {}, "note": "fewer than two groups have 30 rows: nothing can be compared"}
    in_group = np.full(len(test.truth), len(large))
    for number, mask in enumerate(large.values()):
        in_group[mask] = number
    rates = rates_of(test, in_group, len(large))

    def measure(weights: Any) -> Scores:
        return _differences(test, rates(weights))

    drawn = resampled(measure, len(test.truth), seed=seed, deadline_s=deadline_s)
    differences = spreads(measure, len(test.truth), drawn)
    return {**found, "differences": differences, "resamples": len(drawn), "note": NOTE}


def group_rates(test: Outcome, mask: Any) -> Scores:
    """Return one group's rates; one without rows to measure it on is left out."""
    found = rates_of(test, np.where(mask, 0, 1), 1)(np.ones(len(test.truth)))
    return {name: float(values[0]) for name, values in found.items() if not np.isnan(values[0])}


def rates_of(test: Outcome, in_group: Any, count: int) -> Callable[[Any], dict[str, Any]]:
    """Return rates by group (nan where no row measures one) as a function of weights; `count` and above is no group."""
    parts = _parts(test)

    def summed(values: Any, weights: Any) -> Any:
        return np.bincount(in_group, weights=weights * values, minlength=count + 1)[:count]

    def rates(weights: Any) -> dict[str, Any]:
        found = {}
        for name, (part, whole) in parts.items():
            total = summed(whole, weights)
            found[name] = np.divide(summed(part, weights), total, out=np.full(count, np.nan), where=total > 0)
        return found

    return rates


def _parts(test: Outcome) -> dict[str, tuple[Any, Any]]:
    """Return rate -> (what is summed, over which rows)."""
    every = np.ones(len(test.truth))
    if not test.has_classes:
        error = test.said - test.truth
        return {"mae": (np.abs(error), every), "bias": (error, every)}
    found = {}
    if test.is_binary:
        positive, selected = (test.truth == 1).astype(float), (test.said == 1).astype(float)
        found = {
            "selectionRate": (selected, every),
            "truePositiveRate": (selected * positive, positive),
            "falsePositiveRate": (selected * (1 - positive), 1 - positive),
        }
    return {**found, "accuracy": ((test.truth == test.said).astype(float), every)}


def _differences(test: Outcome, rates: dict[str, Any]) -> Scores:
    known = {name: values[~np.isnan(values)] for name, values in rates.items()}
    ranges = {name: float(np.ptp(values)) for name, values in known.items() if len(values) >= 2}
    if not test.has_classes:
        return {f"{name}Difference": value for name, value in ranges.items()}
    found = {"accuracyDifference": ranges["accuracy"]} if "accuracy" in ranges else {}
    if "selectionRate" in ranges:
        found["demographicParityDifference"] = ranges["selectionRate"]
    if {"truePositiveRate", "falsePositiveRate"} <= set(ranges):
        found["equalizedOddsDifference"] = max(ranges["truePositiveRate"], ranges["falsePositiveRate"])
    return found
