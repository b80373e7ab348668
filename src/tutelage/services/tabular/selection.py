"""What `algorithm: auto` means: by what wins on public benchmarks, or by a table of rules. Imports no library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tutelage.services.tabular import catalog

EVIDENCE, RULES = "evidence", "rules"
FEW_ROWS = 500
"""Below so many training rows a forest is chosen: boosted trees overfit there."""

BY_DEFAULTS = ("catboost", "xgboost", "lightgbm")
"""By Elo of TabArena-lite with default parameters: 1345, 1192, 1163."""

BY_TUNING = ("lightgbm", "catboost", "xgboost")
"""By Elo of TabArena-lite once tuned: 1407, 1391, 1364."""

CLASS_RULES: tuple[tuple[float, tuple[str, ...]], ...] = (
    (10_000, ("random_forest", "svm")),
    (100_001, ("xgboost", "lightgbm")),
    (float("inf"), ("neural_network",)),
)
"""Classification: below so many training rows, the first of these that is installed."""

NUMBER_RULES: Mapping[bool, tuple[str, ...]] = {True: ("ridge", "lasso"), False: ("gradient_boosting", "xgboost")}
"""Regression: where the relation is linear, and where it is not."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The chosen algorithm, why, and the ones before it in the list that are not installed."""

    name: str
    why: str
    absent: tuple[str, ...] = ()


def select(
    task: str, num_rows: int, *, strategy: str = EVIDENCE, is_searched: bool = True, is_linear: bool = False
) -> Selection:
    """Return the first installed algorithm of the list that applies; `is_linear` counts for regression by rules."""
    names, why = _listed(task, num_rows, strategy=strategy, is_searched=is_searched, is_linear=is_linear)
    place = next(index for index, name in enumerate(names) if catalog.ALGORITHMS[name].is_installed)
    return Selection(name=names[place], why=why, absent=names[:place])


def _listed(
    task: str, num_rows: int, *, strategy: str, is_searched: bool, is_linear: bool
) -> tuple[tuple[str, ...], str]:
    if task == catalog.CLUSTERING:
        return ("kmeans",), "every row in a cluster"
    if strategy == RULES:
        if task == catalog.REGRESSION:
            return NUMBER_RULES[is_linear], f"rules: a {'linear' if is_linear else 'non-linear'} regression"
        return next(names for below, names in CLASS_RULES if num_rows < below), f"rules: {num_rows} training rows"
    if num_rows < FEW_ROWS:
        return ("random_forest",), f"evidence: {num_rows} training rows, fewer than {FEW_ROWS}"
    if is_searched:
        return BY_TUNING, "evidence: first on public benchmarks when tuned"
    return BY_DEFAULTS, "evidence: first on public benchmarks with its defaults"
