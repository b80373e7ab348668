"""A look at a table before training: kinds, missing cells, leak suspects, a quality score, a suggested job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.paths import is_relative
from tutelage.services.tabular.addresses import shown_source
from tutelage.services.tabular.catalog import CLASSIFICATION, CLUSTERING, DEFAULT_FOLDS
from tutelage.services.tabular.config import check_source
from tutelage.services.tabular.data.quality import DataQuality, look
from tutelage.services.tabular.data.sources import read_table
from tutelage.services.tabular.data.target import Target, read_target, target_column
from tutelage.services.tabular.data.types import USED, Column, infer_columns
from tutelage.services.tabular.selection import select

KEYS = ("dataPath", "targetColumn")
TRAINED_SHARE = 0.8
"""What the training keeps of the rows, the test set apart."""


def inspect(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is seen in `{"dataPath", "targetColumn"?}`. Raises the training's own errors."""
    for key in request:
        if key not in KEYS:
            raise unknown("key", key, KEYS)
    source = str(request.get("dataPath") or "")
    if not source or is_relative(source):
        raise InvalidSpec(f"'dataPath' must be an absolute path or a source, got {shown_source(source)!r}")
    table = read_table(check_source(source))
    name = request.get("targetColumn") or ("target" if source.startswith("sklearn:") else None)
    frame = table.frame
    columns = infer_columns(frame, names=[item for item in frame.columns if item != name], asked=False)
    target = read_target(target_column(frame, name), model_type=None) if name else None
    seen = _look(frame, columns, target)
    return {
        **table.record,
        "notes": list(table.notes),
        "duplicateRows": seen.num_duplicates,
        "columnKinds": [_describe(column) for column in columns],
        "target": _describe_target(target),
        "leakSuspects": [item.document for item in seen.suspects],
        "impossibleValues": seen.impossible,
        "quality": {"score": seen.score, "reasons": list(seen.reasons)},
        "suggestedJob": _suggest(table.source, target, seen.leaking, columns),
    }


def _look(frame: Any, columns: list[Column], target: Target | None) -> DataQuality:
    if target is None:
        return look(frame, columns)
    kept = frame[target.kept].reset_index(drop=True)
    return look(kept, columns, values=target.values, task=target.task, target_name=target.name)


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


def _suggest(source: str, target: Target | None, leaking: list[str], columns: list[Column]) -> dict[str, Any] | None:
    """Return a job document that trains on this table, leak suspects left out; without a target, a clustering."""
    if target is None:
        return _suggest_clustering(source, columns)
    learned = [item.name for item in columns if item.kind in USED and item.name not in leaking]
    if not learned:
        return None
    job: dict[str, Any] = {
        "task": "train_model",
        "modelType": target.task,
        "algorithm": select(target.task, len(target.values)).name,
        "trainDataPath": source,
        "targetColumn": target.name,
    }
    if leaking:
        job["features"] = learned
    folds = _folds(target)
    if folds < DEFAULT_FOLDS:
        job["validationStrategy"] = {"folds": folds}
    return {**job, "hyperparameterSearch": {"enabled": True, "nTrials": 20}}


def _folds(target: Target) -> int:
    """Return how many folds suffice: two rows a fold are needed, and one of each class where there are classes."""
    most = int(len(target.values) * TRAINED_SHARE) // 2
    if target.task == CLASSIFICATION:
        most = min(most, int(np.unique(target.values, return_counts=True)[1].min() * TRAINED_SHARE))
    return max(2, min(DEFAULT_FOLDS, most))


def _suggest_clustering(source: str, columns: list[Column]) -> dict[str, Any] | None:
    """Return a job document that looks for clusters, or None where no column is left to look at."""
    if not any(column.kind in USED for column in columns):
        return None
    job = {"task": "train_model", "modelType": CLUSTERING, "algorithm": "kmeans", "trainDataPath": source}
    return {**job, "hyperparameterSearch": {"enabled": True, "nTrials": 20}}
