"""The worker's side of the fit child: starts it, asks it, and kills it at a deadline, a memory limit or a wish."""

from __future__ import annotations

import contextlib
import math
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import psutil

from tutelage.core.errors import TutelageError
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.messages import Lost
from tutelage.settings import worker_environment

LOOK_EVERY_S = 0.05
MEMORY_SHARE = 0.95
"""Share of the operation's memory that worker and child may fill before the child is killed."""

PREPARE_TIMEOUT_S = 600.0
RELOAD_S = 20.0
"""What starting again and loading the rows is given, however little is left."""

END_S = 5.0
"""What a child is given to exit once its answers have ended."""

OnRounds = Callable[[messages.Rounds], None]
MustEnd = Callable[[], bool]


def _never() -> bool:
    return False


def _endless() -> float:
    return math.inf


def _ignore(rounds: messages.Rounds) -> None:
    return None


class _Process:
    """One life of the child: the process, a thread that reads its answers and one that writes its requests."""

    def __init__(self, *, home: Path, cpus: int) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tutelage.services.tabular.fitting.fit_child", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=worker_environment(home=home, cpus=cpus),
        )
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.answers: queue.Queue[Any] = queue.Queue()
        self.requests: queue.Queue[Any] = queue.Queue()
        self._threads = [
            threading.Thread(target=_read, args=(self.popen.stdout, self.answers), daemon=True, name="fit-answers"),
            threading.Thread(target=_write, args=(self.popen.stdin, self.requests), daemon=True, name="fit-requests"),
        ]
        for thread in self._threads:
            thread.start()

    def kill(self) -> None:
        """End the process and its threads."""
        self.popen.kill()
        self.popen.wait()
        self.requests.put(None)
        for thread in self._threads:
            thread.join()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()


def _read(channel: IO[bytes], answers: queue.Queue[Any]) -> None:
    """Hand over answers; None when there will be no more."""
    with contextlib.suppress(OSError, ValueError):
        while (answer := messages.receive(channel)) is not None:
            answers.put(answer)
    answers.put(None)


def _write(channel: IO[bytes], requests: queue.Queue[Any]) -> None:
    """Write requests; a child that takes none blocks this thread alone."""
    with contextlib.suppress(OSError, ValueError):
        while (request := requests.get()) is not None:
            messages.send(channel, request)


class FitChild:
    """A persistent child for fits; after a kill the next request starts another and loads the rows again."""

    def __init__(self, *, home: Path, cpus: int, memory_gib: float) -> None:
        self._home, self._cpus = home, cpus
        self._left_s: Callable[[], float] = _endless
        self._base_bytes = 0
        self._limit_bytes = memory_gib * MEMORY_SHARE * 2**30
        self._loaded: messages.Load | None = None
        self._process: _Process | None = None
        self.start()

    def obey(self, left_s: Callable[[], float]) -> None:
        """Let no request outlive what is left of the operation's time."""
        self._left_s = left_s

    def start(self) -> None:
        """Start the process; it imports its libraries while the worker goes on."""
        self._process = _Process(home=self._home, cpus=self._cpus)

    @property
    def pid(self) -> int | None:
        """The process's number while it lives."""
        return self._process.popen.pid if self._process else None

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.kill()
            self._process = None

    def ask(
        self,
        request: Any,
        *,
        timeout_s: float = PREPARE_TIMEOUT_S,
        on_rounds: OnRounds = _ignore,
        must_end: MustEnd = _never,
        may_end: MustEnd = _never,
    ) -> Any:
        """Return the answer, or Lost when the child had to be killed or died. Raises the child's TutelageError.

        `must_end` has the child killed; `may_end` asks what learns in rounds to end with the one it is in.
        """
        if self._process is None:
            self.start()
            if self._loaded is not None:
                reloaded = self._exchange(
                    self._loaded, max(RELOAD_S, min(PREPARE_TIMEOUT_S, self._left_s())), _ignore, must_end, _never
                )
                if isinstance(reloaded, Lost):
                    return reloaded
        answer = self._exchange(request, min(timeout_s, self._left_s()), on_rounds, must_end, may_end)
        if isinstance(answer, TutelageError):
            raise answer
        if isinstance(request, messages.Load) and answer is True:
            self._loaded = request
            self._base_bytes = _rss_bytes(self.pid) if self.pid else 0
        return answer.value if isinstance(answer, messages.Applied) else answer

    @property
    def loaded(self) -> messages.Load:
        """The rows that were loaded last."""
        assert self._loaded is not None, "rows are loaded before they are looked at"
        return self._loaded

    @property
    def free_bytes(self) -> float:
        """What a fit may take: the limit less the worker and the child as it stood when the rows were loaded."""
        return self._limit_bytes - _rss_bytes(None) - self._base_bytes

    def _exchange(
        self, request: Any, timeout_s: float, on_rounds: OnRounds, must_end: MustEnd, may_end: MustEnd
    ) -> Any:
        process = self._process
        assert process is not None
        process.requests.put(request)
        deadline_s, is_asked = time.monotonic() + timeout_s, False
        while True:
            try:
                answer = process.answers.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                answer = messages.Rounds(points=[])
            if answer is None:
                code = _code_of(process.popen)
                return self._lose("fit_crashed", f"the fit's process died ({_name_of(code)})")
            if isinstance(answer, messages.Rounds):
                on_rounds(answer)
            else:
                return answer
            lost = self._why_end(process, deadline_s, timeout_s, must_end)
            if lost:
                return self._lose(lost.reason, lost.detail)
            if not is_asked and may_end():
                process.requests.put(messages.End())
                is_asked = True

    def _why_end(self, process: _Process, deadline_s: float, timeout_s: float, must_end: MustEnd) -> Lost | None:
        if must_end():
            return Lost(reason="ended", detail="asked to end")
        if time.monotonic() > deadline_s:
            return Lost(reason="fit_deadline", detail=f"the fit did not end within {timeout_s:.4g} s and was killed")
        used = _rss_bytes(process.popen.pid) + _rss_bytes(None)
        if used > self._limit_bytes:
            asked = f"{used / 2**30:.2f} GiB of {self._limit_bytes / 2**30:.2f}"
            return Lost(reason="memory_limit", detail=f"worker and fit together took {asked} GiB; the fit was killed")
        return None

    def _lose(self, reason: str, detail: str) -> Lost:
        self.close()
        return Lost(reason=reason, detail=detail)


def _rss_bytes(pid: int | None) -> int:
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def _code_of(popen: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a child whose answers have ended; one that goes on without them is killed."""
    try:
        return popen.wait(END_S)
    except subprocess.TimeoutExpired:
        popen.kill()
        return popen.wait()


def _name_of(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
