"""Curves from CSV and JSON lines, in the two shapes in which they are written: a column each, or a row each."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tutelage.core.errors import DamagedFile, InvalidSpec

STEP_NAMES = ("step", "epoch", "iteration", "iter", "round", "global_step", "episode", "_step", "steps", "epochs")
NAME_NAMES = ("metric", "name", "key", "tag")
VALUE_NAMES = ("value", "val")
NOT_METRICS = frozenset({"time", "timestamp", "wall_time", "_timestamp", "_runtime", "datetime", "date"})
IN_UTF8 = "write it anew in UTF-8, for instance by `iconv -f latin1 -t utf-8`"
ODD = {"nan": math.nan, "inf": math.inf, "+inf": math.inf, "-inf": -math.inf, "infinity": math.inf}

Points = list[tuple[int, float]]


def read_csv(path: Path, *, separator: str = ",") -> dict[str, Points]:
    """Return the curves of a CSV file with a header; the step is a column named step, epoch, iteration, round, ..."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines, delimiter=separator)
            if not rows.fieldnames:
                raise DamagedFile(f"{path.name} is empty", hint="a CSV of curves begins with a line of names")
            return curves_of(rows, path.name)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DamagedFile(f"{path.name} is no text in UTF-8 with columns: {error}", hint=IN_UTF8) from error


def read_json_lines(path: Path) -> dict[str, Points]:
    """Return the curves of a file with one JSON object a line: `{"step": 1, "val_loss": 0.5}` or name and value."""
    try:
        return curves_of(_objects(path), path.name)
    except UnicodeDecodeError as error:
        raise DamagedFile(f"{path.name} is no text in UTF-8: {error}", hint=IN_UTF8) from error


def _objects(path: Path) -> Iterable[Mapping[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                item = json.loads(line)
            except ValueError as error:
                hint = 'write one object a line, such as {"step": 1, "val_loss": 0.5}'
                raise DamagedFile(f"line {number} of {path.name} is not JSON: {error}", hint=hint) from error
            for row in item if isinstance(item, list) else [item]:
                if isinstance(row, dict):
                    yield row


def curves_of(rows: Iterable[Mapping[str, Any]], source: str) -> dict[str, Points]:
    """Return the curves of rows that have a step and either metrics by name, or a metric's name and its value."""
    curves: dict[str, Points] = {}
    num_rows, step_name = 0, None
    for row in rows:
        num_rows += 1
        step_name = step_name or _first(STEP_NAMES, row)
        step = _number(row.get(step_name)) if step_name else None
        if step is None or not math.isfinite(step):
            continue
        for name, value in _values(row, step_name or ""):
            curves.setdefault(name, []).append((int(step), value))
    if num_rows and step_name is None:
        raise InvalidSpec(f"{source} has no column of steps", hint=f"name it one of: {', '.join(STEP_NAMES)}")
    return curves


def _values(row: Mapping[str, Any], step_name: str) -> Iterable[tuple[str, float]]:
    name_key, value_key = _first(NAME_NAMES, row), _first(VALUE_NAMES, row)
    if name_key and value_key:
        value = _number(row[value_key])
        return [(str(row[name_key]), value)] if value is not None else []
    told = {key: _number(value) for key, value in row.items() if key and key != step_name}
    return [(key, value) for key, value in told.items() if value is not None and key.lower() not in NOT_METRICS]


def _first(names: Iterable[str], row: Mapping[str, Any]) -> str | None:
    """Return the row's key that is among the names, whatever its case; the names' order decides."""
    keys = {str(key).strip().lower(): key for key in row if key is not None}
    return next((keys[name] for name in names if name in keys), None)


def _number(value: Any) -> float | None:
    """Return a number, non-finite ones by name; None for what is none: a cell left empty, a text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    text = str(value).strip().lower()
    try:
        return ODD[text] if text in ODD else float(text)
    except ValueError:
        return None
