"""The run of a script inside an operation.

Lines of JSON travel over a socket to the worker that started the script, in a thread of their own: no call blocks on
the worker or fails the script, and what cannot be sent is dropped. A NaN travels as Python's own `NaN`.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import queue
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.attach.protocol import Save

MAX_WAITING = 100_000
ANSWER_S = 300.0
LEAVE_S = 10.0


def connected(address: str) -> socket.socket:
    """Return a connection to the worker. Raises OSError where nobody listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(address)
    return connection


class AttachedRun:
    """The run of a script inside an operation."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("r", encoding="utf-8")
        hello = json.loads(self._lines.readline())
        self.id: str | None = hello["id"]
        self.seed: int = hello["seed"]
        self.attempt: int = hello["attempt"]
        self.settings: Mapping[str, Any] = hello["settings"]
        self._resume = Path(hello["resume"]) if hello["resume"] else None
        self._artifacts = Path(hello["artifacts"])
        self._spool = Path(hello["spool"])
        self._stop = threading.Event()
        self._wants_checkpoint = threading.Event()
        self._numbers = itertools.count(1)
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue(MAX_WAITING)
        self._sender = threading.Thread(target=self._send, daemon=True, name="tutelage-send")
        threading.Thread(target=self._hear, daemon=True, name="tutelage-hear").start()
        self._sender.start()
        atexit.register(self._leave)

    def metric(
        self, step: int, values: Mapping[str, float] | None = None, /, *, scope: str = "", **named: float
    ) -> None:
        """Report named numbers at a step."""
        numbers = {name: float(value) for name, value in {**(values or {}), **named}.items()}
        self._put({"do": "metric", "step": int(step), "scope": scope, "values": numbers})

    def define(self, metric: str, **declared: Any) -> None:
        """Declare a metric."""
        self._put({"do": "define", "metric": metric, "declared": declared})

    def log(self, text: str, *, level: str = "info") -> None:
        """Write one line to the operation's log."""
        self._put({"do": "log", "text": str(text), "level": level})

    def progress(self, done: float, total: float | None = None, *, message: str = "") -> None:
        """Say how far the script is, in steps."""
        self._put({"do": "progress", "done": done, "total": total, "message": message})

    def phase(self, name: str) -> None:
        """Say what the script does now."""
        self._put({"do": "phase", "name": name})

    def should_stop(self) -> bool:
        """Tell whether somebody asked it to stop, pause or cancel."""
        return self._stop.is_set()

    def should_checkpoint(self) -> bool:
        """Tell whether somebody asked for a checkpoint."""
        return self._wants_checkpoint.is_set()

    def checkpoint(self, step: int, save: Save, metrics: Mapping[str, float] | None = None) -> Path | None:
        """Let `save(folder)` write resumable state; the worker seals it and makes it the newest checkpoint."""
        number = next(self._numbers)
        folder = self._spool / f"{os.getpid()}-{number}"
        folder.mkdir(parents=True)
        save(folder)
        numbers = {name: float(value) for name, value in (metrics or {}).items()}
        self._put({"do": "checkpoint", "number": number, "step": int(step), "folder": str(folder), "metrics": numbers})
        self._wants_checkpoint.clear()
        return self._answer(number)

    def resume(self) -> Path | None:
        """Return the folder of the checkpoint to go on from."""
        return self._resume

    def artifact(self, name: str) -> Path:
        """Return the path under which to write a file that is to be kept. Raises ValueError outside its folder."""
        path = (self._artifacts / name).resolve()
        if not path.is_relative_to(self._artifacts.resolve()):
            raise ValueError(f"the artifact {name!r} leaves the folder of artifacts; use a relative name")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def finish(self, **result: Any) -> None:
        """Add fields to the operation's result document."""
        self._put({"do": "finish", "result": result})

    def _put(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(message)

    def _answer(self, number: int) -> Path | None:
        while True:
            try:
                answer = self._answers.get(timeout=ANSWER_S)
            except queue.Empty:
                return None
            if answer["number"] in (number, None):
                return Path(answer["path"]) if answer.get("path") else None

    def _send(self) -> None:
        """Write what waits, many lines at a time."""
        ended = False
        with contextlib.suppress(OSError):
            while not ended:
                batch = [self._waiting.get()]
                with contextlib.suppress(queue.Empty):
                    while len(batch) < 1000:
                        batch.append(self._waiting.get_nowait())
                ended = None in batch
                lines = [json.dumps(item, default=str) for item in batch if item is not None]
                self._connection.sendall("".join(f"{line}\n" for line in lines).encode())

    def _hear(self) -> None:
        """Take what the worker says, until it hangs up."""
        with contextlib.suppress(OSError, ValueError):
            for line in self._lines:
                said = json.loads(line)
                if said["say"] == "ending":
                    self._stop.set()
                elif said["say"] == "checkpoint":
                    self._wants_checkpoint.set()
                else:
                    self._answers.put(said)
        self._answers.put({"number": None})

    def _leave(self) -> None:
        """Send what is left before the script ends."""
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=LEAVE_S)
        self._sender.join(LEAVE_S)
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
