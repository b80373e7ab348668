"""Whether `timeLimit` is kept: three tables with three algorithms, trained through the command line as a user does."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, Report
from tutelage.services.tabular.catalog import direction_of

LIMIT_S, QUICK_LIMIT_S = 60, 15
PROMISE = 1.1
"""A limit is kept when the work ends by so many times of it."""

DATA = "TUTELAGE_TEST_DATA"
TABLES: Mapping[str, Mapping[str, str]] = {
    "adult": {"file": "adult.csv.gz", "target": "class"},
    "letter": {"file": "letter.csv", "target": "lettr"},
    "diamonds": {"file": "diamonds.csv.gz", "target": "price"},
}
ALGORITHMS = ("svm", "random_forest", "lightgbm")
QUICK = (("letter", "lightgbm"),)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One training: seconds of the command, until the worker began to read data, and from then to the end."""

    table: str
    algorithm: str
    wall_s: float
    start_s: float
    result: Mapping[str, Any]

    @property
    def work_s(self) -> float:
        """What the limit is held against: all of the command less its start."""
        return self.wall_s - self.start_s

    @property
    def gain(self) -> float:
        """How far the test is better than the trivial model, in shares of the latter's score; above 0 is sane."""
        metadata = self.result["metadata"]
        name = metadata["objective"]
        value, trivial = self.result["metrics"]["test"][name], metadata["baseline"][name]
        return float((value - trivial if direction_of(name) == "maximize" else trivial - value) / abs(trivial))

    def line(self) -> str:
        """Return the row of the printed table."""
        metadata = self.result["metadata"]
        name = metadata["objective"]
        value, trivial = self.result["metrics"]["test"][name], metadata["baseline"][name]
        return (
            f"{self.table:9} {self.algorithm:14} wall {self.wall_s:5.1f}  work {self.work_s:5.1f}  "
            f"start {self.start_s:4.1f}  rows {metadata['rowsUsed']:6}/{metadata['rowsTrain']:6}  "
            f"trials {metadata['nTrials']:4}  {name} {value:.5g} (baseline {trivial:.5g})  "
            f"steps {len(metadata['ladder'])}  left out {len(metadata['artifactsSkipped'])}"
        )


def run(*, quick: bool) -> Report:
    """Train them one after the other; a row is printed as each ends."""
    if DATA not in os.environ:
        print(f"{DATA} names no folder of tables: nothing is trained")
        return Report(name="time_limit", figures=[])
    limit_s = QUICK_LIMIT_S if quick else LIMIT_S
    trained = []
    for table, algorithm in QUICK if quick else _all():
        trained.append(train(table, algorithm, limit_s=limit_s))
        print(trained[-1].line(), flush=True)
    return Report(name="time_limit", figures=_figures(trained, limit_s))


def _all() -> Iterator[tuple[str, str]]:
    return ((table, algorithm) for table in TABLES for algorithm in ALGORITHMS)


def train(table: str, algorithm: str, *, limit_s: float) -> Kept:
    """Train through `tutelage train` in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="tutelage-bench-") as name:
        home = Path(name)
        asked, out = home / "job.json", home / "out.json"
        source = Path(os.environ[DATA]) / "tabular" / TABLES[table]["file"]
        job = {
            "task": "train_model",
            "trainDataPath": str(source),
            "targetColumn": TABLES[table]["target"],
            "algorithm": algorithm,
            "timeLimit": limit_s,
        }
        asked.write_text(json.dumps(job))
        command = [sys.executable, "-m", "tutelage", "train", str(asked), "--output", str(out)]
        began_s, clock_s = time.time(), time.monotonic()
        subprocess.run(command, env={**os.environ, "TUTELAGE_HOME": name}, check=True, stdout=subprocess.DEVNULL)
        wall_s = time.monotonic() - clock_s
        return Kept(
            table=table,
            algorithm=algorithm,
            wall_s=wall_s,
            start_s=_data_phase(home) - began_s,
            result=json.loads(out.read_text()),
        )


def _data_phase(home: Path) -> float:
    """Return when the worker began to read the data, in seconds since 1970."""
    for file in sorted(home.glob("operations/*/events/*.ndjson")):
        for line in file.read_text().splitlines():
            event = json.loads(line)
            if event["k"] == "phase" and event["d"]["phase"] == "data":
                return float(event["t"])
    return math.nan


def _figures(trained: list[Kept], limit_s: float) -> list[Figure]:
    works = [kept.work_s for kept in trained]
    figures = [
        Figure(key="longest_work_s", value=max(works), unit="s", at_most=PROMISE * limit_s),
        Figure(key="shortest_work_s", value=min(works), unit="s"),
        Figure(key="kept", value=sum(work <= PROMISE * limit_s for work in works), unit="runs", at_least=len(works)),
        Figure(key="better_than_trivial", value=sum(kept.gain > 0 for kept in trained), unit="runs"),
        Figure(key="longest_start_s", value=max(kept.start_s for kept in trained), unit="s"),
    ]
    return [
        *figures,
        *(Figure(key=f"{kept.table}_{kept.algorithm}_s", value=kept.work_s, unit="s") for kept in trained),
    ]
