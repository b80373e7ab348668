"""What the training rows hold, by column: ranges, categories, missing shares. New rows can be held against it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tutelage.services.tabular.data.types import BOOLEAN, CATEGORICAL, DATETIME, MISSING, NUMERIC, Column, ColumnReader

MAX_CATEGORIES = 100
TYPES = {NUMERIC: "number", BOOLEAN: "boolean", CATEGORICAL: "string", DATETIME: "date-time"}


def profile(reader: ColumnReader, typed: Any) -> dict[str, dict[str, Any]]:
    """Return the facts of each column that is read, by its raw name; `typed` are the training rows as it reads them.

    Numbers: min, max, mean. Dates: min and max, ISO 8601. Categories: the 100 most frequent, each with its share.
    """
    return {column.name: _facts(column, typed) for column in reader.columns}


def described(columns: list[Column], facts: dict[str, dict[str, Any]], *, num_rows: int) -> list[dict[str, Any]]:
    """Return all columns of the table for `schema.json`, those that are not learned from too."""
    return [
        {
            **vars(column),
            "used": column.name in facts,
            "missing_share": column.num_missing / num_rows,
            **facts.get(column.name, {}),
        }
        for column in columns
    ]


def target_facts(values: Any, classes: list[Any]) -> dict[str, Any]:
    """Return the training target's classes with their rows, the range of its numbers, or how many labels are known."""
    if classes:
        counts = pd.Series(values).value_counts()
        return {"classes": classes, "rows": [int(counts[name]) for name in classes]}
    cells = pd.Series(values)
    if not pd.api.types.is_numeric_dtype(cells):  # labels that clusters are compared with, empty where unknown
        return {"classes": [], "labelled_rows": int((cells != "").sum())}
    return {"classes": [], **_numbers(cells)}


def _facts(column: Column, typed: Any) -> dict[str, Any]:
    kind = {"type": TYPES[column.kind]} if column.kind in TYPES else {}
    if column.kind == CATEGORICAL:
        return {**kind, **_categories(typed[column.name])}
    if column.kind == DATETIME:
        return {**kind, **_dates(typed[f"{column.name}:days"])}
    if column.kind in (NUMERIC, BOOLEAN):
        return {**kind, **_numbers(typed[column.name])}
    return kind


def _numbers(cells: Any) -> dict[str, Any]:
    known = cells.dropna()
    facts = {"missing_share": float(cells.isna().mean())}
    if len(known):
        facts |= {"min": float(known.min()), "max": float(known.max()), "mean": float(known.mean())}
    return facts


def _dates(days: Any) -> dict[str, Any]:
    known = days.dropna()
    facts: dict[str, Any] = {"missing_share": float(days.isna().mean())}
    if len(known):
        low, high = (pd.Timestamp(0, tz="UTC") + pd.Timedelta(days=float(day)) for day in (known.min(), known.max()))
        facts |= {"min": low.isoformat(), "max": high.isoformat()}
    return facts


def _categories(cells: Any) -> dict[str, Any]:
    known = cells[cells != MISSING]
    counts = known.value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_CATEGORIES]
    return {
        "missing_share": float(1 - len(known) / len(cells)),
        "num_categories": len(counts),
        "categories": {str(name): float(count / len(cells)) for name, count in ranked},
    }
