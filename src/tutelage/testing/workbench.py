"""A bench for one operation without a supervisor: its folder, its worker as a real process, its events."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tutelage.core.commands import Command, Verb
from tutelage.core.events import Draft, EventKind, decode_line
from tutelage.core.ids import new_operation_id
from tutelage.core.layout import HomeFiles
from tutelage.core.numbers import from_json_number
from tutelage.core.spec import Spec
from tutelage.settings import worker_environment

PATIENCE_S = 120.0


class Workbench:
    """Trains one spec attempt by attempt, as the supervisor would."""

    def __init__(self, home: Path, spec: Mapping[str, Any], *, services: Mapping[str, str]) -> None:
        self.files = HomeFiles(home).operation(new_operation_id())
        self.files.root.mkdir(parents=True)
        self._home, self._services = home, services
        self._spec = Spec.model_validate(spec)
        self.files.spec.write_text(json.dumps(self._spec.document()))
        self.attempt = 0
        self._worker: subprocess.Popen[bytes] | None = None

    def start(self, *commands: Command) -> None:
        """Start the next attempt, which finds `commands` waiting."""
        self.attempt += 1
        self.files.commands.write_text("".join(json.dumps(command.line()) + "\n" for command in commands))
        with self.files.log.open("ab") as log:
            self._worker = subprocess.Popen(
                self._command("--operation", self.files.root.name, "--attempt", str(self.attempt)),
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self._environment(),
            )

    @property
    def worker_pid(self) -> int:
        """The worker's process number."""
        assert self._worker is not None, "start comes first"
        return self._worker.pid

    def ended(self) -> int:
        """Wait for the attempt's end and return its exit code."""
        assert self._worker is not None, "start comes first"
        return self._worker.wait(PATIENCE_S)

    def kill(self) -> None:
        """Kill the worker and everything it started, as a power cut would."""
        if self._worker is not None and self._worker.poll() is None:
            os.killpg(self._worker.pid, signal.SIGKILL)
            self._worker.wait()

    def ask(self, verb: Verb, **args: Any) -> Command:
        """Send a command to the live worker."""
        command = Command(id=f"dec_{time.monotonic_ns()}", verb=verb, args=args, reason="asked on the bench")
        with self.files.commands.open("a") as file:
            file.write(json.dumps(command.line()) + "\n")
        return command

    def events(self, *kinds: EventKind, attempt: int | None = None) -> list[Draft]:
        """Return the complete events of an attempt, the present one by default."""
        number = attempt or self.attempt
        path = self.files.event_file(number)
        block = path.read_bytes() if path.exists() else b""
        lines = block[: block.rfind(b"\n") + 1].splitlines(keepends=True)
        events = [decode_line(line, attempt=number, offset=0) for line in lines]
        return [event for event in events if not kinds or event.kind in kinds]

    def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds, while the worker lives."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert self._worker is not None, "start comes first"
            if self._worker.poll() is not None and not holds():
                raise AssertionError(f"the worker ended first: {self.log_tail()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not come in {PATIENCE_S:g} s: {self.log_tail()}")
            time.sleep(0.01)

    def points(self) -> dict[tuple[str, str, int], float]:
        """Return (scope, metric, step) -> value over all attempts; the newest attempt's value counts."""
        found: dict[tuple[str, str, int], float] = {}
        for attempt in range(1, self.attempt + 1):
            for event in self.events(EventKind.METRIC, attempt=attempt):
                if event.step is not None and event.scope != "system":
                    for name, value in event.data.get("values", {}).items():
                        found[event.scope, name, event.step] = float(from_json_number(value))
        return found

    def result(self) -> dict[str, Any]:
        """Return the result document."""
        document: dict[str, Any] = json.loads(self.files.result.read_text())
        return document

    def use(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the finished model once, in a worker of its own."""
        done = subprocess.run(
            self._command("--use", self.files.root.name),
            input=json.dumps(request) + "\n",
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            env=self._environment(),
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def log_tail(self) -> str:
        """Return the end of the log."""
        return self.files.log.read_text()[-2000:] if self.files.log.exists() else ""

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "tutelage.worker", "--home", str(self._home), *arguments]

    def _environment(self) -> dict[str, str]:
        return worker_environment(home=self._home, cpus=self._spec.resources.cpus, services=self._services)
