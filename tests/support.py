"""What many tests need: a control plane without a process around it, and a supervisor with one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tutelage.client import Client, connect
from tutelage.core import wire
from tutelage.core.commands import Verb
from tutelage.core.operation import ENDED, State
from tutelage.executors import ProcessId
from tutelage.main import Parts, build
from tutelage.settings import Settings

FAKE = {"fake": "tutelage.testing.fake:SERVICE"}
ME = wire.Principal(name="tester", kind="person")


def settings_for(home: Path, **changes: Any) -> Settings:
    """Return settings of a home with the fake service, quick rounds and four slots."""
    given = {"services": FAKE, "cpus": 4, "memory_gib": 64.0, "tick_s": 0.01, "grace_s": 0.5, **changes}
    return Settings(home=home, **given)


@dataclass
class Plane:
    """A control plane whose rounds the test itself takes."""

    parts: Parts
    clock_ahead_s: float = field(default=0.0)

    @property
    def platform(self) -> Any:
        return self.parts.platform

    def submit(self, config: dict[str, Any] | None = None, **spec: Any) -> wire.Operation:
        document = {"service": "fake", "config": config or {}, **spec}
        return self.platform.submit(document, principal=ME)

    def command(self, operation_id: str, verb: str, reason: str = "because", **args: Any) -> wire.Decision:
        request = wire.CommandRequest(verb=Verb(verb), args=args, reason=reason)
        return self.platform.command(operation_id, request, principal=ME)

    def until(self, holds: Callable[[], Any], *, timeout_s: float = 30.0) -> Any:
        """Take rounds until something holds."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.parts.supervision.round()
            if found := holds():
                return found
            self.parts.base.hub.wait(self.parts.base.hub.version, 0.02)
        raise AssertionError("it did not come in time")

    def state(self, operation_id: str) -> State:
        return self.platform.operation(operation_id).state

    def finish(self, operation_id: str) -> wire.Operation:
        self.until(lambda: self.state(operation_id) in ENDED)
        return self.platform.operation(operation_id)

    def reach(self, operation_id: str, step: int) -> None:
        def there() -> bool:
            series = self.platform.metrics(operation_id).steps
            return bool(series) and series[-1] >= step

        self.until(there)


@contextmanager
def plane_at(home: Path, **changes: Any) -> Iterator[Plane]:
    """Yield a control plane on a home; its workers are killed at the end."""
    parts = build(settings_for(home, **changes))
    parts.supervision.adopt()
    plane = Plane(parts)
    try:
        yield plane
    finally:
        end_processes(home)
        for child in parts.base.executor._children.values():
            child.wait()
        parts.close()


def end_processes(home: Path) -> None:
    """End a home's supervisor, then its workers, each by its own record."""
    supervisor = _recorded_pid(home / "supervisor.json")
    if supervisor is not None:
        _signal(os.kill, supervisor)
    for record in home.glob("operations/*/worker.pid"):
        worker = _recorded_pid(record)
        if worker is not None:
            _signal(os.killpg, worker)


def _recorded_pid(record: Path) -> int | None:
    """Return the pid that a process wrote of itself, if that very process still runs."""
    try:
        process = ProcessId.from_document(json.loads(record.read_text()))
    except (OSError, ValueError, KeyError):
        return None
    return process.pid if process.is_alive() else None


def _signal(send: Callable[[int, int], None], pid: int) -> None:
    try:
        send(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@contextmanager
def supervisor_at(home: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], Client]]:
    """Yield a real supervisor process and a client of it."""
    home.mkdir(parents=True, exist_ok=True)
    process = start_supervisor(home, **environment)
    client = connect(Settings(home=home, services=FAKE), start=False)
    try:
        yield process, client
    finally:
        client.close()
        process.kill()
        process.wait()
        end_processes(home)


def start_supervisor(home: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start a supervisor and return once it answers."""
    env = {
        **os.environ,
        "TUTELAGE_SERVICES": '{"fake": "tutelage.testing.fake:SERVICE"}',
        "TUTELAGE_CPUS": "4",
        "TUTELAGE_MEMORY_GIB": "64",
        "TUTELAGE_IDLE_S": "60",
        "TUTELAGE_GRACE_S": "1",
        **environment,
    }
    with (home / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tutelage.supervisor", "--home", str(home)], env=env, stdout=log, stderr=log
        )
    ready = home / "supervisor.json"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if ready.exists() and str(process.pid) in ready.read_text():
            return process
        if process.poll() is not None:
            break
        os.sched_yield()
    raise AssertionError((home / "supervisor.log").read_text()[-2000:])
