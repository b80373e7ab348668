"""The column to predict: which task it makes, its values as labels or numbers, and what is impossible in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tutelage.core.errors import nearest
from tutelage.services.tabular.catalog import CLASSIFICATION, CLUSTERING, REGRESSION
from tutelage.services.tabular.data.types import MISSING_TEXTS, as_text
from tutelage.services.tabular.errors import (
    NonFiniteTarget,
    OneClass,
    TargetConstant,
    TargetMissing,
    TargetNotClasses,
    TargetNotNumeric,
)

MAX_INFERRED_CLASSES = 20
LABEL_BOOL, LABEL_INT, LABEL_TEXT = "bool", "int", "text"


@dataclass(frozen=True, kw_only=True)
class Target:
    """The target of a table: its task, how labels are written, and the rows that have a value."""

    name: str
    task: str
    labels: str | None
    values: Any
    kept: Any

    @property
    def classes(self) -> list[Any]:
        """The sorted classes, as JSON writes them; none for numbers."""
        return np.unique(self.values).tolist() if self.task == CLASSIFICATION else []


def target_column(frame: Any, name: str) -> Any:
    """Return the target's column. Raises TargetMissing with the nearest name."""
    if name not in frame.columns:
        close = nearest(name, frame.columns)
        question = f" Did you mean {close!r}?" if close else ""
        columns = ", ".join(map(str, list(frame.columns)[:30]))
        raise TargetMissing(f"there is no column {name!r}.{question}", hint=f"columns: {columns}")
    return frame[name]


def read_target(column: Any, *, model_type: str | None) -> Target:
    """Read the training target; the task follows from its values where `model_type` is None."""
    present = _present(column)
    name = str(column.name)
    if not present.any():
        raise TargetMissing(f"the target {name!r} has no value in any row", hint="name another column")
    cells = column[present]
    task = model_type or infer_task(cells)
    if task == REGRESSION:
        target = _numbers(name, cells, present)
        if np.ptp(target.values) == 0:
            raise TargetConstant(
                f"the target {name!r} is {target.values[0]:g} in all {len(target.values)} rows",
                hint="there is nothing to learn; name another column",
            )
        return target
    target = _labels(name, cells, present, _label_kind(cells))
    _check_classes(target)
    return target


def read_test_target(column: Any, like: Target) -> Target:
    """Read the test's target in the form of the training's. Raises TargetNotClasses for a class never trained on."""
    present = _present(column)
    if not present.any():
        raise TargetMissing(f"the target {like.name!r} has no value in any test row", hint="the test needs the truth")
    cells = column[present]
    if like.task == REGRESSION:
        return _numbers(like.name, cells, present)
    target = _labels(like.name, cells, present, like.labels or LABEL_TEXT)
    foreign = sorted(set(target.classes) - set(like.classes), key=str)
    if foreign:
        shown = ", ".join(repr(item) for item in foreign[:8])
        raise TargetNotClasses(
            f"the test data have classes that the training data lack: {shown}",
            hint=f"classes of the training data: {', '.join(map(repr, like.classes[:20]))}",
        )
    return target


def read_labels(frame: Any, name: str) -> Target:
    """Read what a clustering is compared with: labels as text, empty where there is none; every row is kept."""
    kept = np.ones(len(frame), dtype=bool)
    values = np.full(len(frame), "", dtype=object)
    if name:
        column = target_column(frame, name)
        present = _present(column)
        values[present] = as_text(column[present]).to_numpy(dtype=object)
    return Target(name=name, task=CLUSTERING, labels=None, values=values.astype(str), kept=kept)


def infer_task(cells: Any) -> str:
    """Return the task: text, booleans and up to 20 whole numbers (each in 1 % of the rows on average) are classes."""
    if pd.api.types.is_bool_dtype(cells):
        return CLASSIFICATION
    numbers = pd.to_numeric(cells, errors="coerce")
    if numbers.isna().any():
        return CLASSIFICATION
    distinct = numbers.nunique()
    whole = bool((numbers == numbers.round()).all())
    few = distinct <= MAX_INFERRED_CLASSES and distinct <= max(2, len(cells) // 20)
    return CLASSIFICATION if whole and few else REGRESSION


def _present(column: Any) -> Any:
    if pd.api.types.is_numeric_dtype(column):
        return column.notna().to_numpy()
    text = as_text(column)
    return (text.notna() & ~text.str.lower().isin(MISSING_TEXTS)).to_numpy(dtype=bool)


def _numbers(name: str, cells: Any, present: Any) -> Target:
    numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
    odd = cells[numbers.isna()]
    if len(odd):
        raise TargetNotNumeric(
            f"the target {name!r} is no number in {len(odd)} rows, such as {str(odd.iloc[0])[:40]!r}",
            hint="use modelType classification, or clean the column",
        )
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise NonFiniteTarget(f"the target {name!r} is infinite in {infinite} rows", hint="remove or cap those rows")
    return Target(name=name, task=REGRESSION, labels=None, values=numbers.to_numpy(), kept=present)


def _label_kind(cells: Any) -> str:
    if pd.api.types.is_bool_dtype(cells):
        return LABEL_BOOL
    if not pd.api.types.is_numeric_dtype(cells):
        return LABEL_TEXT
    infinite = int(np.isinf(cells.astype("float64")).sum())
    if infinite:
        raise NonFiniteTarget(f"the target {str(cells.name)!r} is infinite in {infinite} rows", hint="remove them")
    return LABEL_INT if bool((cells == cells.round()).all()) else LABEL_TEXT


def _labels(name: str, cells: Any, present: Any, kind: str) -> Target:
    if kind == LABEL_INT and pd.api.types.is_numeric_dtype(cells) and bool((cells == cells.round()).all()):
        values: Any = cells.astype("int64").to_numpy()
    elif kind == LABEL_BOOL and pd.api.types.is_bool_dtype(cells):
        values = cells.astype(bool).to_numpy()
    else:
        values = np.array(as_text(cells).tolist(), dtype=str)
    return Target(name=name, task=CLASSIFICATION, labels=kind, values=values, kept=present)


def _check_classes(target: Target) -> None:
    count = len(target.values)
    if len(target.classes) == 1:
        raise OneClass(
            f"the target {target.name!r} has one class in all {count} rows: {target.classes[0]!r}",
            hint="give rows of at least two classes, or name another column",
        )
    if len(target.classes) > 50 and len(target.classes) > 0.2 * count:
        raise TargetNotClasses(
            f"the target {target.name!r} has {len(target.classes)} different values in {count} rows",
            hint="use modelType regression, or group the values",
        )
