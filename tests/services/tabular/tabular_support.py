"""Helpers of tabular's tests: small tables, and operations whose worker is a real process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tutelage.core.ids import new_operation_id
from tutelage.core.layout import HomeFiles, OperationFiles
from tutelage.run import FileRun
from tutelage.services.tabular import SERVICE
from tutelage.services.tabular.config import TabularConfig
from tutelage.settings import worker_environment


def make_table(num_rows: int = 240, *, seed: int = 0, regression: bool = False) -> Any:
    """A small table with every kind of column, whose target depends on some of them."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, num_rows).astype(float)
    city = rng.choice(["Oslo", "Bern", "Lima"], num_rows)
    spend = rng.gamma(2.0, 40.0, num_rows).round(2)
    logit = 0.08 * (age - 50) + (city == "Oslo") * 1.5 + 0.01 * (spend - 80) + rng.normal(0, 0.6, num_rows)
    age[rng.random(num_rows) < 0.05] = np.nan
    text = [" " if rng.random() < 0.05 else f"{value:.2f}" for value in spend]
    frame = {"customerID": [f"c{index:05d}" for index in range(num_rows)], "age": age, "city": city, "spend": text}
    frame |= {"member": rng.choice(["yes", "no"], num_rows), "same": ["x"] * num_rows}
    target: Any = logit.round(4) if regression else np.where(logit > 0, "stays", "leaves")
    return pd.DataFrame({**frame, "y": target})


STARTED: list[subprocess.Popen[bytes]] = []
"""Workers that tests started; what is left of them after a test is killed."""


@dataclass
class Operation:
    """One operation's folder, and its worker as a real process."""

    home: Path
    files: OperationFiles
    cpus: int = 1
    worker: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(
        cls, home: Path, config: Mapping[str, Any], *, memory_gib: float = 4.0, seed: int = 42, cpus: int = 1
    ) -> Operation:
        files = HomeFiles(home).operation(new_operation_id())
        files.root.mkdir(parents=True)
        resources = {"cpus": cpus, "memory_gib": memory_gib}
        spec = {"service": "tabular", "config": dict(config), "resources": resources, "seed": seed}
        files.spec.write_text(json.dumps(spec))
        return cls(home, files, cpus)

    def start(self, attempt: int = 1) -> subprocess.Popen[bytes]:
        arguments = ["--home", str(self.home), "--operation", self.files.root.name, "--attempt", str(attempt)]
        with (self.files.root / "out.txt").open("ab") as out:
            worker = subprocess.Popen(
                [sys.executable, "-m", "tutelage.worker", *arguments],
                stdout=out,
                stderr=out,
                start_new_session=True,
                env=worker_environment(home=self.home, cpus=self.cpus),
            )
        self.worker = worker
        STARTED.append(worker)
        return worker

    def run(self, attempt: int = 1, *, timeout_s: float = 240) -> int:
        return self.start(attempt).wait(timeout_s)

    def events(self, attempt: int = 1, kind: str | None = None) -> list[dict[str, Any]]:
        path = self.files.event_file(attempt)
        block = path.read_bytes() if path.exists() else b""
        events = [json.loads(line) for line in block[: block.rfind(b"\n") + 1].splitlines()]
        return [event for event in events if kind is None or event["k"] == kind]

    def metrics(self, attempt: int = 1) -> Iterator[tuple[str, int, str, float]]:
        for event in self.events(attempt, "metric"):
            for name, value in event["d"].get("values", {}).items():
                yield event.get("s", ""), event["i"], name, value

    def error(self, attempt: int = 1) -> dict[str, Any]:
        data: dict[str, Any] = self.events(attempt, "error")[0]["d"]
        return data

    @property
    def result(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.files.result.read_text())
        return document

    def command(self, verb: str, **args: Any) -> None:
        with self.files.commands.open("a") as file:
            line = {"id": f"d{time.time_ns()}", "verb": verb, "args": args, "reason": "test"}
            file.write(json.dumps(line) + "\n")

    def wait_for(self, holds: Callable[[Operation], Any], *, attempt: int = 1, timeout_s: float = 60) -> Any:
        """Poll the event file until `holds` says something."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            found = holds(self)
            if found:
                return found
            if self.worker is not None and self.worker.poll() is not None:
                raise AssertionError(f"the worker ended with {self.worker.returncode}: {self.events(attempt)[-3:]}")
            time.sleep(0.02)
        raise AssertionError(f"did not happen in {timeout_s} s: {self.events(attempt)[-3:]}")


def trials_seen(count: int, attempt: int = 1) -> Callable[[Operation], bool]:
    def holds(operation: Operation) -> bool:
        done = [event["d"]["done"] for event in operation.events(attempt, "progress")]
        return bool(done) and max(done) >= count

    return holds


def fit_child_of(pid: int) -> int:
    """Return the process number of a worker's fit child."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in listed:
        if b"fit_child" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    raise AssertionError("the worker has no fit child")


def job(path: Path, **more: Any) -> dict[str, Any]:
    """A config on a table whose target is y."""
    return {"trainDataPath": str(path), "targetColumn": "y", **more}


def make_run(home: Path, *, seed: int = 42, cpus: int = 1) -> FileRun:
    """A run in this process."""
    files = HomeFiles(home).operation(new_operation_id())
    files.root.mkdir(parents=True)
    run = FileRun(files=files, service=SERVICE, attempt=1, seed=seed, cpus=cpus)
    run.begin()
    return run


def config(document: Mapping[str, Any]) -> TabularConfig:
    return TabularConfig.model_validate(document)


def scores_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result's metrics but for its latency, which is the machine's."""
    return {name: values for name, values in result["metrics"].items() if name != "latency"}


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the worker alone, as the kernel would; its child must follow by itself."""
    process.kill()
    process.wait()


def kill_leftovers() -> None:
    """End what tests started and did not wait for."""
    while STARTED:
        worker = STARTED.pop()
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
