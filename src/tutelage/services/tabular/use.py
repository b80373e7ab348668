"""Answers requests to a finished model: rows or a table in, predictions out, by the very bytes that were tested."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from tutelage.core.errors import InvalidSpec, nearest, unknown
from tutelage.core.ports import Emit, Requests
from tutelage.core.signing import check_signature, installation_key
from tutelage.services.tabular.config import TabularConfig, check_source
from tutelage.services.tabular.data.sources import read_table
from tutelage.services.tabular.data.types import CATEGORICAL, MISSING, ColumnReader, unreadable_cells
from tutelage.services.tabular.errors import DataEmpty, FeatureMissing
from tutelage.services.tabular.models.thresholds import decide
from tutelage.services.tabular.report.final import MODEL
from tutelage.settings import load_settings

KEYS = ("rows", "dataPath")


def use(model: Path, config: TabularConfig, requests: Requests, emit: Emit) -> None:
    """Load the operation's model once and answer each request."""
    path = model / "artifacts" / MODEL
    if not path.is_file():
        raise InvalidSpec("this operation released no model", hint="its result says why; train one, or approve it")
    check_signature(path, installation_key(load_settings().files.key))
    pipeline = joblib.load(path)
    for request in requests:
        emit(answer(pipeline, request, target=config.target))


def answer(pipeline: Any, request: Mapping[str, Any], *, target: str) -> dict[str, Any]:
    """Return predictions (classes, numbers or clusters), probabilities where there are classes, and warnings."""
    frame = _frame(request)
    reader: ColumnReader = pipeline["columns"].reader
    warnings = _check_columns(reader, frame, target)
    typed = reader.transform(frame)
    warnings += _unreadable(reader, frame, typed) + _unseen(reader, typed)
    encoded = pipeline["encode"].transform(typed)
    model = pipeline["model"]
    if not hasattr(model, "classes_"):
        kind = "int64" if getattr(model, "predicts_clusters", False) else "float64"
        predictions = model.predict(encoded).astype(kind).tolist()
        return {"predictions": predictions, "probabilities": None, "classes": None, "warnings": warnings}
    probabilities = model.predict_proba(encoded)
    return {
        "predictions": decide(probabilities, model.classes_, getattr(model, "threshold", None)).tolist(),
        "probabilities": probabilities.tolist(),
        "classes": model.classes_.tolist(),
        "warnings": warnings,
    }


def _frame(request: Mapping[str, Any]) -> Any:
    for key in request:
        if key not in KEYS:
            raise unknown("key", key, KEYS)
    if len(request) != 1:
        raise InvalidSpec(f"give one of {' and '.join(KEYS)}, got {len(request)}", hint='{"rows": [{"age": 42}]}')
    if "dataPath" in request:
        return read_table(check_source(str(request["dataPath"]))).frame
    rows = request["rows"]
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise InvalidSpec("'rows' must be a list of objects, column -> value", hint='{"rows": [{"age": 42}]}')
    if not rows:
        raise DataEmpty("'rows' is empty", hint="give at least one row")
    return pd.DataFrame.from_records(rows)


def _check_columns(reader: ColumnReader, frame: Any, target: str) -> list[str]:
    """Raise FeatureMissing for an absent column; return a warning about those that are ignored."""
    absent = [name for name in reader.names if name not in frame.columns]
    if absent:
        close = {name: nearest(name, map(str, frame.columns)) for name in absent[:8]}
        shown = ", ".join(f"{name!r}" + (f" (is {found!r} meant?)" if found else "") for name, found in close.items())
        raise FeatureMissing(
            f"{len(absent)} columns that the model needs are absent: {shown}",
            hint=f"needed: {', '.join(reader.names[:40])}; an unknown value may be null",
        )
    known = {*reader.names, *reader.unused, target}
    extra = [str(name) for name in frame.columns if name not in known]
    return [f"{len(extra)} columns were ignored: {', '.join(extra[:8])}"] if extra else []


def _unreadable(reader: ColumnReader, frame: Any, typed: Any) -> list[str]:
    found = unreadable_cells(frame, typed, reader.columns)
    kinds = {column.name: column.kind for column in reader.columns}
    return [
        f"{name}: {count} cells are not {kinds[name]}, such as {example!r}; they count as missing"
        for name, (count, example) in found.items()
    ]


def _unseen(reader: ColumnReader, typed: Any) -> list[str]:
    found = []
    for column in reader.columns:
        if column.kind == CATEGORICAL:
            cells = typed[column.name]
            new = sorted(set(cells.unique()) - reader.categories.get(column.name, frozenset()) - {MISSING})
            if new:
                shown = ", ".join(map(repr, new[:5]))
                count = int(cells.isin(new).sum())
                found.append(f"{column.name}: {count} rows hold values never seen in training: {shown}")
    return found
