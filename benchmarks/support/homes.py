"""Homes to measure in: a store with stored operations, and a real supervisor process on top."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tutelage.client import Client, connect
from tutelage.core.errors import SupervisorUnreachable
from tutelage.core.ids import new_operation_id
from tutelage.core.operation import State
from tutelage.settings import Settings
from tutelage.store import AttemptRecord, OperationRecord, Store

SERVICES = {"fake": "tutelage.testing.fake:SERVICE"}
START_S = 20.0


def add_operation(store: Store) -> str:
    """Store an ended operation with one attempt, ready to take metrics; return its id."""
    operation, at_s = new_operation_id(), time.time()
    record = OperationRecord(
        id=operation,
        service="fake",
        state=State.COMPLETED,
        attempt=1,
        spec={"service": "fake"},
        owner_name="benchmark",
        owner_kind="program",
        tags={},
        progress={},
        definitions={},
        created_at_s=at_s,
    )
    attempt = AttemptRecord(
        operation=operation,
        attempt=1,
        from_step=None,
        process=None,
        started_at_s=at_s,
        ended_at_s=None,
        offset=0,
        num_bad_lines=0,
    )
    with store.writing() as tx:
        tx.add_operation(record)
        tx.add_attempt(attempt)
    return operation


@contextmanager
def supervised(home: Path) -> Iterator[Client]:
    """Run a supervisor process on a home and yield a client of it; the process is ended at the end."""
    environment = {**os.environ, "TUTELAGE_SERVICES": json.dumps(SERVICES)}
    environment.pop("TUTELAGE_URL", None)
    command = [sys.executable, "-m", "tutelage.supervisor", "--home", str(home)]
    home.mkdir(parents=True, exist_ok=True)
    with (home / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        with _client(home) as client:
            yield client
    finally:
        process.terminate()
        process.wait(timeout=30)


def _client(home: Path) -> Client:
    settings = Settings(home=home, url=None)
    deadline = time.monotonic() + START_S
    while True:
        try:
            return connect(settings, start=False)
        except SupervisorUnreachable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
