"""Metric writes and reads of the store against MLflow on SQLite, and a million-point history over HTTP."""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.report import Figure, Report
from benchmarks.support.homes import add_operation, supervised
from benchmarks.support.mlflow_peer import ABSENT, MlflowPeer, open_peer
from benchmarks.support.timing import Cost, cost_of, median_cost
from benchmarks.support.writers import (
    BATCH_POINTS,
    IngestWriter,
    MlflowWriter,
    StoreWriter,
    Writer,
    batches,
    num_bytes,
    points_of,
)
from tutelage.client.starter import recorded
from tutelage.core.layout import HomeFiles
from tutelage.main import build
from tutelage.settings import Settings
from tutelage.store import Store

READ_POINTS = 20_000
"""The longest history that one answer of ours holds in full."""

LONG_POINTS = 1_000_000
SHOWN_POINTS = 1_000
METRIC = "train_loss"


@dataclass
class Timed:
    """What the batches of one writer took, and the size of a point in its database."""

    costs: list[Cost] = field(default_factory=list)
    bytes_per_point: float = math.nan

    @property
    def points_per_s(self) -> float:
        """Points a second by the clock, of the median batch."""
        return BATCH_POINTS / median_cost(self.costs).wall_s

    @property
    def points_per_cpu_s(self) -> float:
        """Points a second of this process's CPU time, of the median batch."""
        return BATCH_POINTS / median_cost(self.costs).cpu_s


@dataclass(frozen=True, kw_only=True)
class LongHistory:
    """Answers to one question: the first one alone, the rest by their median."""

    first_ms: float
    median_ms: float
    num_shown: int


def run(*, quick: bool) -> Report:
    """Measure all of it in temporary folders."""
    with tempfile.TemporaryDirectory(prefix="tutelage-bench-") as name:
        folder = Path(name)
        peer = open_peer(folder)
        writes = time_writes(folder, peer, num_batches=40 if quick else 250)
        reads = time_reads(folder, peer, num_repeats=3 if quick else 11)
        history = time_long_history(folder / "long", num_requests=8 if quick else 32)
    ours = _own_figures(writes, reads["tutelage"], history)
    if peer is None:
        return Report(name="store", figures=ours, peers={"mlflow": ABSENT})
    figures = [*_ratios(writes, reads), *ours]
    return Report(
        name="store", figures=figures, peers={"mlflow": _peer_figures(peer, writes["mlflow"], reads["mlflow"])}
    )


def time_writes(folder: Path, peer: MlflowPeer | None, *, num_batches: int) -> dict[str, Timed]:
    """Write the same batches in turn through the store, from an event file, and through MLflow."""
    writers: list[Writer] = [StoreWriter(folder), IngestWriter(folder), *([MlflowWriter(peer)] if peer else [])]
    empty = {writer.name: num_bytes(writer.path) for writer in writers}
    timed = {writer.name: Timed() for writer in writers}
    for rows in batches(num_batches):
        for writer in writers:
            writer.prepare(rows)
            timed[writer.name].costs.append(cost_of(writer.write))
    for writer in writers:
        writer.close()
        grown = num_bytes(writer.path) - empty[writer.name]
        timed[writer.name].bytes_per_point = grown / (num_batches * BATCH_POINTS)
    return timed


def time_reads(folder: Path, peer: MlflowPeer | None, *, num_repeats: int) -> dict[str, Cost]:
    """Read the whole history of one metric in turn: through the platform's action, and through MLflow's client."""
    rows = [row for batch in batches(READ_POINTS // BATCH_POINTS, metrics=(METRIC,)) for row in batch]
    parts = build(Settings(home=folder / "read"))
    operation = add_operation(parts.base.store)
    with parts.base.store.writing("NORMAL") as tx:
        tx.add_points(operation, points_of(rows))
    run_id = _fill_peer(peer, rows) if peer else ""
    costs: dict[str, list[Cost]] = {"tutelage": [], **({"mlflow": []} if peer else {})}

    def read_ours() -> None:
        answer = parts.platform.metrics(operation, keys=(METRIC,), points=READ_POINTS)
        assert len(answer.steps) == READ_POINTS, "the whole history was read"

    def read_theirs() -> None:
        assert peer is not None, "asked only where MLflow is installed"
        assert len(peer.read(run_id, METRIC)) == READ_POINTS, "the whole history was read"

    with closing(parts):
        for _ in range(num_repeats):
            costs["tutelage"].append(cost_of(read_ours))
            if peer:
                costs["mlflow"].append(cost_of(read_theirs))
    return {name: median_cost(found) for name, found in costs.items()}


def _fill_peer(peer: MlflowPeer, rows: Sequence[tuple[int, dict[str, float]]]) -> str:
    run_id = peer.start_run()
    for first in range(0, len(rows), BATCH_POINTS):
        peer.write(run_id, peer.entities(rows[first : first + BATCH_POINTS]))
    return run_id


def time_long_history(home: Path, *, num_requests: int) -> LongHistory:
    """Ask a supervisor process for a history of a million points in at most a thousand, over its Unix socket."""
    files = HomeFiles(home)
    with closing(Store(files.database)) as store:
        operation = add_operation(store)
        for rows in batches(LONG_POINTS // BATCH_POINTS, metrics=(METRIC,)):
            with store.writing("NORMAL") as tx:
                tx.add_points(operation, points_of(rows))
    with supervised(home):
        address = recorded(files)
        assert address is not None, "a supervisor that answers has recorded its address"
        with address.open() as http:
            answers = [_ask(http, operation) for _ in range(num_requests)]
    first, *others = [wall_s * 1000 for wall_s, _ in answers]
    return LongHistory(first_ms=first, median_ms=statistics.median(others), num_shown=max(num for _, num in answers))


def _ask(http: httpx.Client, operation: str) -> tuple[float, int]:
    """Return how long one answer took, seconds, and how many points it shows."""
    answers: list[httpx.Response] = []
    path = f"/api/v1/operations/{operation}/metrics"
    cost = cost_of(lambda: answers.append(http.get(path, params={"keys": METRIC, "points": SHOWN_POINTS})))
    document = answers[0].raise_for_status().json()
    assert document["total"][METRIC] == LONG_POINTS, "the history is as long as it was made"
    return cost.wall_s, len(document["steps"])


def _ratios(writes: dict[str, Timed], reads: dict[str, Cost]) -> list[Figure]:
    ours, ingested, theirs = writes["store"], writes["ingest"], writes["mlflow"]
    wall, cpu = theirs.points_per_s, theirs.points_per_cpu_s
    return [
        Figure(key="writes_vs_mlflow", value=ours.points_per_s / wall, unit="times", at_least=25),
        Figure(key="writes_vs_mlflow_cpu", value=ours.points_per_cpu_s / cpu, unit="times"),
        Figure(key="ingest_vs_mlflow", value=ingested.points_per_s / wall, unit="times"),
        Figure(key="ingest_vs_mlflow_cpu", value=ingested.points_per_cpu_s / cpu, unit="times"),
        Figure(key="read_vs_mlflow", value=reads["mlflow"].wall_s / reads["tutelage"].wall_s, unit="times"),
        Figure(key="read_vs_mlflow_cpu", value=reads["mlflow"].cpu_s / reads["tutelage"].cpu_s, unit="times"),
    ]


def _own_figures(writes: dict[str, Timed], read: Cost, history: LongHistory) -> list[Figure]:
    return [
        Figure(key="history_1m_ms", value=history.median_ms, unit="ms", at_most=100),
        Figure(key="history_1m_first_ms", value=history.first_ms, unit="ms"),
        Figure(key="history_1m_points", value=history.num_shown, unit="points", at_most=SHOWN_POINTS),
        Figure(key="writes_points_per_s", value=writes["store"].points_per_s, unit="points/s"),
        Figure(key="ingest_points_per_s", value=writes["ingest"].points_per_s, unit="points/s"),
        Figure(key="read_points_per_s", value=READ_POINTS / read.wall_s, unit="points/s"),
        Figure(key="bytes_per_point", value=writes["ingest"].bytes_per_point, unit="bytes"),
        Figure(key="row_bytes_per_point", value=writes["store"].bytes_per_point, unit="bytes"),
    ]


def _peer_figures(peer: MlflowPeer, write: Timed, read: Cost) -> dict[str, float | str]:
    return {
        "version": peer.version,
        "writes_points_per_s": write.points_per_s,
        "read_points_per_s": READ_POINTS / read.wall_s,
        "bytes_per_point": write.bytes_per_point,
    }
