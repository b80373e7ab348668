"""A look at a table before training: kinds, missing cells, leak suspects, a quality score, a suggested job."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.paths import is_relative
from tutelage.services.tabular.catalog import CLASSIFICATION, CLUSTERING
from tutelage.services.tabular.config import check_source
from tutelage.services.tabular.data.sources import read_table
from tutelage.services.tabular.data.target import Target, read_target, target_column
from tutelage.services.tabular.data.types import (
    CATEGORICAL,
    DATETIME,
    NUMERIC,
    USED,
    Column,
    ColumnReader,
    infer_columns,
)
from tutelage.services.tabular.selection import select

KEYS = ("dataPath", "targetColumn")
LEAK_SHARE = 0.98
"""A column that alone explains this share of what there is to explain is suspected to be a leak."""

MAX_BINS = 20
MAX_SUM_COLUMNS = 30


def inspect(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is seen in `{"dataPath", "targetColumn"?}`. Raises the training's own errors."""
    for key in request:
        if key not in KEYS:
            raise unknown("key", key, KEYS)
    source = str(request.get("dataPath") or "")
    if not source or is_relative(source):
        raise InvalidSpec(f"'dataPath' must be an absolute path or sklearn:NAME, got {source!r}")
    table = read_table(check_source(source))
    name = request.get("targetColumn") or ("target" if source.startswith("sklearn:") else None)
    frame = table.frame
    columns = infer_columns(frame, names=[item for item in frame.columns if item != name], asked=False)
    duplicates = int(frame.duplicated().sum())
    target = read_target(target_column(frame, name), model_type=None) if name else None
    suspects = leak_suspects(frame, columns, target) if target else []
    score, reasons = quality(frame, columns, duplicates=duplicates, num_suspects=len(suspects), target=target)
    return {
        **table.record,
        "duplicateRows": duplicates,
        "columnKinds": [_describe(column) for column in columns],
        "target": _describe_target(target),
        "leakSuspects": suspects,
        "quality": {"score": score, "reasons": reasons},
        "suggestedJob": _suggest(source, target, suspects, columns, len(frame)),
    }


def _describe(column: Column) -> dict[str, Any]:
    used = column.kind in USED
    facts = {"name": column.name, "kind": column.kind, "unique": column.num_unique, "missing": column.num_missing}
    return {**facts, "used": used, "note": column.note}


def _describe_target(target: Target | None) -> dict[str, Any] | None:
    if target is None:
        return None
    facts: dict[str, Any] = {"name": target.name, "task": target.task, "rows": len(target.values)}
    facts["missing"] = len(target.kept) - len(target.values)
    if target.task == CLASSIFICATION:
        names, counts = np.unique(target.values, return_counts=True)
        order = np.argsort(-counts)[:50]
        facts["classes"] = {str(names[index]): int(counts[index]) for index in order}
    else:
        facts.update(min=float(target.values.min()), mean=float(target.values.mean()), max=float(target.values.max()))
    return facts


def leak_suspects(frame: Any, columns: list[Column], target: Target) -> list[dict[str, Any]]:
    """Return columns that alone explain the target, and pairs of columns whose sum it is, with the share measured."""
    reader = ColumnReader([column for column in columns if column.kind != DATETIME])
    typed = reader.transform(frame[target.kept].reset_index(drop=True))
    found = []
    for column in reader.columns:
        share = explained(typed[column.name], target, is_category=column.kind == CATEGORICAL)
        if share >= LEAK_SHARE:
            found.append({"columns": [column.name], "why": "alone explains the target", "share": round(share, 4)})
    if target.task != CLASSIFICATION:
        numeric = [column.name for column in reader.columns if column.kind == NUMERIC][:MAX_SUM_COLUMNS]
        for first, second in combinations(numeric, 2):
            if np.array_equal((typed[first] + typed[second]).to_numpy(), target.values):
                found.append({"columns": [first, second], "why": "their sum is the target", "share": 1.0})
    return found


def explained(cells: Any, target: Target, *, is_category: bool) -> float:
    """Return the share of what the trivial model misses that one column explains.

    Groups are categories, or at most 20 quantile bins: of errors for classes (each group says its majority), of
    variance for numbers. Columns with hardly any repeated value explain everything by chance: they count as 0.
    """
    groups = cells if is_category else pd.qcut(cells, MAX_BINS, labels=False, duplicates="drop")
    groups = groups.astype(object).where(groups.notna(), "missing")
    if groups.nunique() > len(groups) / 10:
        return 0.0
    values = pd.Series(target.values)
    if target.task == CLASSIFICATION:
        errors = 1 - values.value_counts().max() / len(values)
        right = pd.crosstab(groups.to_numpy(), values.to_numpy()).max(axis=1).sum()
        return float(1 - (1 - right / len(values)) / errors)
    means = values.groupby(groups.to_numpy()).transform("mean")
    return float(means.var(ddof=0) / values.var(ddof=0))


def quality(
    frame: Any, columns: list[Column], *, duplicates: int, num_suspects: int, target: Target | None
) -> tuple[int, list[str]]:
    """Return a score of 0-100 and what was taken off for what."""
    missing = sum(column.num_missing for column in columns) / max(1, len(frame) * len(columns))
    unused = [column.name for column in columns if column.kind not in USED]
    rare, even = 1.0, 1.0
    if target and target.task == CLASSIFICATION:
        rare, even = np.unique(target.values, return_counts=True)[1].min() / len(target.values), 1 / len(target.classes)
    takes = (
        (min(30, 100 * missing), f"{missing:.1%} of the cells are missing"),
        (min(15, 100 * duplicates / len(frame)), f"{duplicates} rows repeat another row"),
        (min(15, 3 * len(unused)), f"{len(unused)} columns cannot be learned from: {', '.join(unused[:8])}"),
        (min(30, 15 * num_suspects), f"{num_suspects} leak suspects"),
        (10 if rare < 0.1 * even else 0, f"the rarest class has {rare:.2%} of the rows"),
        (20 if len(frame) < 200 else 0, f"only {len(frame)} rows"),
    )
    score = round(max(0.0, 100 - sum(take for take, _ in takes)))
    return score, [f"-{take:.0f}: {reason}" for take, reason in takes if take >= 0.5]


def _suggest(
    source: str, target: Target | None, suspects: list[dict[str, Any]], columns: list[Column], num_rows: int
) -> dict[str, Any] | None:
    """Return a job document that trains on this table, leak suspects left out; without a target, a clustering."""
    if target is None:
        return _suggest_clustering(source, columns)
    leaking = {name for suspect in suspects for name in suspect["columns"]}
    job: dict[str, Any] = {
        "task": "train_model",
        "modelType": target.task,
        "algorithm": select(target.task, num_rows).name,
        "trainDataPath": source,
        "targetColumn": target.name,
    }
    if leaking:
        job["features"] = [item.name for item in columns if item.kind in USED and item.name not in leaking]
    return {**job, "hyperparameterSearch": {"enabled": True, "nTrials": 20}}


def _suggest_clustering(source: str, columns: list[Column]) -> dict[str, Any] | None:
    """Return a job document that looks for clusters, or None where no column is left to look at."""
    if not any(column.kind in USED for column in columns):
        return None
    job = {"task": "train_model", "modelType": CLUSTERING, "algorithm": "kmeans", "trainDataPath": source}
    return {**job, "hyperparameterSearch": {"enabled": True, "nTrials": 20}}
