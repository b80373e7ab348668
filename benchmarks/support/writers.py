"""The ways of writing metrics that are compared: the store, the ingest of an event file, MLflow; a database each."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from benchmarks.support.homes import add_operation
from benchmarks.support.mlflow_peer import MlflowPeer
from tutelage.control.ingest import ingest
from tutelage.core.events import Draft, EventKind, encode_line
from tutelage.store import Store
from tutelage.store.records import Point

METRICS = ("train_loss", "val_loss", "lr", "grad_norm", "tokens_per_s")
"""What one step reports."""

BATCH_POINTS = 1000
"""Points a transaction; the most that MLflow takes in one call."""

Rows = Sequence[tuple[int, Mapping[str, float]]]
"""(step, values) of some steps."""


class Writer(Protocol):
    """One way of writing."""

    name: str
    path: Path

    def prepare(self, rows: Rows) -> None:
        """Bring the next batch into the form that `write` takes; not timed."""

    def write(self) -> None:
        """Write the batch that was prepared; timed."""

    def close(self) -> None:
        """Close the database."""


class StoreWriter:
    """Points in memory -> rows, in one transaction of the store."""

    name = "store"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "store.db"
        self._store = Store(self.path)
        self._operation = add_operation(self._store)
        self._points: list[Point] = []

    def prepare(self, rows: Rows) -> None:
        """Make the store's points."""
        self._points = points_of(rows)

    def write(self) -> None:
        """Commit them."""
        with self._store.writing("NORMAL") as tx:
            tx.add_points(self._operation, self._points)

    def close(self) -> None:
        """Close the database."""
        self._store.close()


class IngestWriter:
    """Lines of an event file -> events, points and the file's offset, as the supervisor takes them in."""

    name = "ingest"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ingest.db"
        self._store = Store(self.path)
        self._operation = add_operation(self._store)
        self._events = folder / "events.ndjson"
        self._offset = 0

    def prepare(self, rows: Rows) -> None:
        """Append the lines that a worker would write."""
        with self._events.open("ab") as file:
            file.write(lines_of(rows))

    def write(self) -> None:
        """Ingest them."""
        self._offset = ingest(self._store, self._events, operation=self._operation, attempt=1, offset=self._offset)

    def close(self) -> None:
        """Close the database."""
        self._store.close()


class MlflowWriter:
    """Metrics in memory -> rows, in one `log_batch` of MLflow."""

    name = "mlflow"

    def __init__(self, peer: MlflowPeer) -> None:
        self.path = peer.path
        self._peer = peer
        self._run = peer.start_run()
        self._entities: list[Any] = []

    def prepare(self, rows: Rows) -> None:
        """Make MLflow's metrics."""
        self._entities = self._peer.entities(rows)

    def write(self) -> None:
        """Log them."""
        self._peer.write(self._run, self._entities)

    def close(self) -> None:
        """Nothing to close: MLflow keeps its connections."""


def batches(num_batches: int, *, metrics: Sequence[str] = METRICS) -> Iterator[Rows]:
    """Yield batches of 1,000 points as a training reports them: noisy falling curves, step after step."""
    draw = random.Random(7)
    num_steps = BATCH_POINTS // len(metrics)
    for first in range(0, num_batches * num_steps, num_steps):
        steps = range(first, first + num_steps)
        yield [(step, {name: 4 / (1 + step / 5_000) + draw.gauss(0, 0.1) for name in metrics}) for step in steps]


def points_of(rows: Rows) -> list[Point]:
    """Return the store's own objects for some rows."""
    return [
        Point(scope="", metric=name, attempt=1, step=step, value=value)
        for step, values in rows
        for name, value in values.items()
    ]


def lines_of(rows: Rows) -> bytes:
    """Return the lines of an event file for some rows."""
    drafts = (
        Draft(kind=EventKind.METRIC, at_s=1.7e9 + step / 100, data={"values": dict(values)}, step=step)
        for step, values in rows
    )
    return b"".join(map(encode_line, drafts))


def num_bytes(path: Path) -> int:
    """Return the size of a SQLite database, pages that are still in its write-ahead log included."""
    with closing(sqlite3.connect(path)) as connection:
        pages, page_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages * page_bytes)
