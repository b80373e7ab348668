"""The test by groups of rows: how good the model is for each, and which groups it serves worse than the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import erfc, sqrt
from typing import Any

import numpy as np
import pandas as pd

from tutelage.services.tabular.data.types import MISSING, as_text
from tutelage.services.tabular.evaluation.measures import Outcome, measure_of, part_of

LEAST_ROWS = 30
MAX_COLUMNS, MAX_CATEGORIES, NUM_BINS, MAX_WORST = 8, 10, 4, 5
FEW_VALUES = 10
SIGNIFICANT = 0.05
NUMERIC_SHARE = 0.95


def groups_of(cells: Any) -> dict[str, Any]:
    """Return group -> mask of rows: categories, or four quantile bins of numbers with more than ten values.

    Categories beyond the ten largest are one group, `(other)`; rows without a value are one of their own.
    """
    numbers = pd.to_numeric(cells, errors="coerce")
    present = cells.notna()
    is_number = present.any() and numbers[present].notna().mean() >= NUMERIC_SHARE and not _is_bool(cells)
    if is_number and numbers.nunique() > FEW_VALUES:
        bins = pd.qcut(numbers, NUM_BINS, duplicates="drop")
        found = {_name_of(bin_): (bins == bin_).to_numpy() for bin_ in bins.cat.categories}
        return {**found, MISSING: numbers.isna().to_numpy()}
    text = as_text(cells).fillna(MISSING).astype(str)
    kept = list(text.value_counts().index[:MAX_CATEGORIES])
    found = {name[:80]: (text == name).to_numpy() for name in kept}
    return {**found, "(other)": (~text.isin(kept)).to_numpy()}


def slice_metrics(test: Outcome, names: Iterable[str]) -> dict[str, Any]:
    """Return scores by group for the named columns, groups of at least 30 rows only, and the worst groups.

    A group is among the worst where its mean loss (share of wrong classes, or absolute error) is above that of all
    other rows by Welch's test, p < 0.05 divided by the number of groups looked at.
    """
    slices, losses = [], test.loss
    for name in dict.fromkeys(names):
        for group, mask in groups_of(test.frame[name]).items():
            if LEAST_ROWS <= mask.sum() < len(mask):
                slices.append(_slice(test, losses, name, group, mask))
    worst = [item for item in slices if item["p"] * len(slices) < SIGNIFICANT and item["lossDifference"] > 0]
    worst.sort(key=lambda item: -item["lossDifference"])
    return {
        "leastRows": LEAST_ROWS,
        "loss": "share of wrong classes" if test.has_classes else "mean absolute error",
        "slices": slices,
        "worst": [{key: item[key] for key in ("column", "group", "rows", "lossDifference", "p")} for item in worst][
            :MAX_WORST
        ],
    }


def important_columns(importance: Mapping[str, float], frame: Any) -> list[str]:
    """Return the most important columns that the raw table has."""
    ranked = sorted(importance, key=lambda name: -importance[name])
    return [name for name in ranked if name in frame.columns][:MAX_COLUMNS]


def _slice(test: Outcome, losses: Any, column: str, group: str, mask: Any) -> dict[str, Any]:
    inside, outside = losses[mask], losses[~mask]
    difference = float(inside.mean() - outside.mean())
    return {
        "column": column,
        "group": group,
        "rows": int(mask.sum()),
        "metrics": measure_of(part_of(test, mask))(np.ones(mask.sum())),
        "lossDifference": difference,
        "p": _welch(inside, outside),
    }


def _welch(inside: Any, outside: Any) -> float:
    """Return the two-sided p of a difference of means, normal approximation of Welch's test (each part >= 30 rows)."""
    error = sqrt(inside.var() / len(inside) + outside.var() / len(outside))
    gap = abs(float(inside.mean() - outside.mean()))
    if error == 0:
        return 0.0 if gap > 0 else 1.0
    return erfc(gap / error / sqrt(2))


def _is_bool(cells: Any) -> bool:
    return bool(pd.api.types.is_bool_dtype(cells))


def _name_of(interval: Any) -> str:
    return f"{interval.left:.6g} to {interval.right:.6g}"
