"""Use of finished models, and looks at data: helper workers that talk JSON lines, at most two, kept ten minutes."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tutelage.core.errors import MissingDependency, TrainingError, TutelageError
from tutelage.core.spec import Resources
from tutelage.executors import LocalExecutor

KEEP_S = 600.0
MAX_WORKERS = 2
ANSWER_S = 600.0


class RemoteError(TrainingError):
    """An error that a helper worker answered, with the code that it gave."""

    code = "use_failed"


class HelperWorker:
    """One helper process; requests are answered one after the other."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._lock = threading.Lock()
        self.last_used = time.monotonic()

    @property
    def is_alive(self) -> bool:
        """The process runs."""
        return self._process.poll() is None

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request and return its answer. Raises the error that the worker answered."""
        with self._lock:
            self.last_used = time.monotonic()
            watchdog = threading.Timer(ANSWER_S, self._process.kill)
            watchdog.start()
            try:
                line = self._exchange(json.dumps(request).encode() + b"\n")
            finally:
                watchdog.cancel()
            self.last_used = time.monotonic()
        if not line:
            raise RemoteError(
                f"the helper worker died while it answered{self._last_words()}",
                hint="the request may need more memory than the operation's resources.memory_gib",
            )
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer and isinstance(answer["error"], dict):
            raise as_error(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _exchange(self, line: bytes) -> bytes:
        assert self._process.stdin is not None, "helpers are started with pipes"
        assert self._process.stdout is not None, "helpers are started with pipes"
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
            return self._process.stdout.readline()
        except OSError:
            return b""

    def _last_words(self) -> str:
        assert self._process.stderr is not None, "helpers are started with pipes"
        self._process.kill()
        self._process.wait()
        words = self._process.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return f": {words[-1][:300]}" if words else ""


class Helpers:
    """Keeps the use workers; the least recently used one goes when a third is needed."""

    def __init__(self, executor: LocalExecutor) -> None:
        self._executor = executor
        self._lock = threading.Lock()
        self._workers: dict[str, HelperWorker] = {}

    def use(self, operation_id: str, request: Mapping[str, Any], *, resources: Resources) -> dict[str, Any]:
        """Ask the operation's model, starting its worker when none is there."""
        with self._lock:
            self._drop_idle()
            worker = self._workers.get(operation_id)
            if worker is None or not worker.is_alive:
                worker = self._start(operation_id, resources)
        try:
            return worker.ask(request)
        finally:
            if not worker.is_alive:
                self.drop(operation_id)

    def inspect(self, service: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Look at data in a process of its own."""
        worker = HelperWorker(self._popen(["--inspect", service], resources=Resources()))
        try:
            return worker.ask(request)
        finally:
            worker.close()

    def drop(self, operation_id: str) -> None:
        """End the worker of one operation, if there is one."""
        with self._lock:
            worker = self._workers.pop(operation_id, None)
        if worker:
            worker.close()

    def drop_idle(self) -> int:
        """End workers that nobody used for ten minutes; return how many are left."""
        with self._lock:
            self._drop_idle()
            return len(self._workers)

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            for worker in self._workers.values():
                worker.close()
            self._workers.clear()

    def _start(self, operation_id: str, resources: Resources) -> HelperWorker:
        while len(self._workers) >= MAX_WORKERS:
            oldest = min(self._workers, key=lambda key: self._workers[key].last_used)
            self._workers.pop(oldest).close()
        worker = HelperWorker(self._popen(["--use", operation_id], resources=resources))
        self._workers[operation_id] = worker
        return worker

    def _drop_idle(self) -> None:
        now = time.monotonic()
        for key in [key for key, worker in self._workers.items() if now - worker.last_used > KEEP_S]:
            self._workers.pop(key).close()

    def _popen(self, arguments: Sequence[str], *, resources: Resources) -> subprocess.Popen[bytes]:
        return self._executor.helper(arguments, resources=resources)


def as_error(document: Mapping[str, Any]) -> TutelageError:
    """Turn a worker's error document into an exception that carries its code, message and hint."""
    code = str(document.get("code", RemoteError.code))
    kind = type("HelperError", (RemoteError,), {"code": code, "status": 422})
    if code == MissingDependency.code:
        kind = MissingDependency
    error: TutelageError = kind(str(document.get("message", "")), hint=str(document.get("hint", "")))
    return error
