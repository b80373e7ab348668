"""Curves from `mlflow.db`, the file of SQLite in which MLflow keeps metrics by default; opened to read only."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tutelage.core.errors import DamagedFile, InvalidSpec

Points = list[tuple[int, float]]
LARGEST = 1.7976931348623157e308
"""What MLflow writes for an infinity."""

RUNS = "SELECT run_uuid, name FROM runs WHERE lifecycle_stage = 'active' ORDER BY start_time, run_uuid"
METRICS = "SELECT key, step, value, is_nan FROM metrics WHERE run_uuid = ? ORDER BY timestamp, step"


def read_database(path: Path) -> Iterator[tuple[str, dict[str, Points]]]:
    """Yield (id and name, metrics) of each run that is not deleted, in the order in which they were begun.

    Raises DamagedFile for what is no database of SQLite, InvalidSpec for one that is not MLflow's.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            for run, name in database.execute(RUNS).fetchall():
                yield f"{run} {name or ''}".rstrip(), _curves(database.execute(METRICS, (run,)))
    except sqlite3.OperationalError as error:
        hint = "give the `mlflow.db` that a tracking server or MLflow itself writes"
        raise InvalidSpec(f"{path.name} is no database of MLflow: {error}", hint=hint) from error
    except sqlite3.DatabaseError as error:
        raise DamagedFile(f"{path.name} is no database of SQLite", hint=f"it says: {error}") from error


def _curves(rows: Iterator[tuple[str, int, float, bool]]) -> dict[str, Points]:
    curves: dict[str, Points] = {}
    for key, step, value, is_nan in rows:
        curves.setdefault(key, []).append((step, math.nan if is_nan else _finite_or_not(value)))
    return curves


def _finite_or_not(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) >= LARGEST else float(value)
