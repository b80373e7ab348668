"""Predictions as rows: a CSV file that no spreadsheet executes, or a short table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from tutelage.core.errors import TutelageError
from tutelage.interfaces.cli import words
from tutelage.interfaces.cli.terminal import table

FORMULA = ("=", "+", "-", "@", "\t", "\r")
MAX_COLUMNS = 6


def rows(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row a prediction: the prediction, and the probability of each class where there are classes."""
    predicted = data.get("predictions")
    if not isinstance(predicted, list):
        raise TutelageError("this model's answer holds no predictions", hint="--json prints the answer as it is")
    names = [f"probability_{name}" for name in data.get("classes") or []]
    chances = data.get("probabilities") or [[] for _ in predicted]
    return [
        {"prediction": value, **dict(zip(names, chance, strict=False))}
        for value, chance in zip(predicted, chances, strict=True)
    ]


def write_csv(data: Mapping[str, Any], path: Path) -> None:
    """Write the rows in the order of the data; whole or not at all."""
    made = rows(data)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([escaped(name) for name in (made[0] if made else {"prediction": None})])
            writer.writerows([escaped(value) for value in row.values()] for row in made)
        part.replace(path)
    except OSError as error:
        raise TutelageError(f"cannot write {path}: {error.strerror}", hint="name another file with -o") from error


def escaped(cell: object) -> object:
    """Return a cell that a spreadsheet shows instead of running it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def shown(data: Mapping[str, Any], *, limit: int) -> Iterator[RenderableType]:
    """Yield the first rows as a table."""
    made = rows(data)
    names = list(made[0])[:MAX_COLUMNS] if made else ["prediction"]
    body = table("row", *names, right=["row", *names])
    for index, row in enumerate(made[:limit]):
        body.add_row(str(index), *(_cell(row[name]) for name in names))
    yield body
    if len(made) > limit:
        yield Text(f"{limit} of {len(made):,} rows; all of them: -o predictions.csv", style="dim")


def _cell(value: object) -> str:
    return words.number(value) if isinstance(value, float) else str(value)
