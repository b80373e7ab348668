"""A process that may crash or hang without harm: each request has a time limit; after a loss a new one is started."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import IO, Any

from tutelage.services.codegen.oracle.framing import LENGTHS, Frame, lengths, packed, unpacked

START_S = 60.0
"""Seconds that a new process may take to import its libraries and open a device."""

TAIL_BYTES = 2_000


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A request that its process did not survive: `crashed` or `timed_out`, and how it went, in words."""

    how: str
    reason: str


class SupervisedProcess:
    """Runs `python -m MODULE` and asks it one thing at a time; started at the first request, and again after a loss."""

    def __init__(self, module: str, *, memory_gib: float = 8.0) -> None:
        self._command = [sys.executable, "-m", module, str(os.getpid()), str(int(memory_gib * 2**30))]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self.num_starts = 0

    def ask(self, frame: Frame, *, timeout_s: float) -> Frame | Lost:
        """Send a message and return its answer, or how the process was lost. Its start is not counted as time."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                lost = self._start()
                if lost is not None:
                    return lost
            return self._exchange(frame, timeout_s)

    @property
    def pid(self) -> int | None:
        """The process id, or None while there is none."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _start(self) -> Lost | None:
        self._end()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process; `_end` closes it
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            bufsize=0,
            start_new_session=True,
        )
        self.num_starts += 1
        greeting = self._read(time.monotonic() + START_S)
        return greeting if isinstance(greeting, Lost) else None

    def _exchange(self, frame: Frame, timeout_s: float) -> Frame | Lost:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            _write(self._process.stdin, packed(frame))
        except BrokenPipeError:
            return self._crashed()
        return self._read(time.monotonic() + timeout_s)

    def _read(self, deadline: float) -> Frame | Lost:
        start = self._read_bytes(LENGTHS.size, deadline)
        if isinstance(start, Lost):
            return start
        rest = self._read_bytes(lengths(start), deadline)
        return rest if isinstance(rest, Lost) else unpacked(start, rest)

    def _read_bytes(self, count: int, deadline: float) -> bytes | Lost:
        assert self._process is not None
        assert self._process.stdout is not None
        got = bytearray()
        while len(got) < count:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([self._process.stdout], [], [], left_s)[0]:
                return self._timed_out()
            part = os.read(self._process.stdout.fileno(), count - len(got))
            if not part:
                return self._crashed()
            got += part
        return bytes(got)

    def _timed_out(self) -> Lost:
        self._end()
        return Lost(how="timed_out", reason="it did not answer within its time limit, and was ended")

    def _crashed(self) -> Lost:
        assert self._process is not None
        code = self._process.wait()
        tail = "" if code < 0 else self._tail()  # of one killed by a signal, the last line is about something else
        self._end()
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return Lost(how="crashed", reason=f"it crashed ({how}){': ' if tail else ''}{tail}")

    def _tail(self) -> str:
        assert self._log is not None
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - TAIL_BYTES))
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()
        self._process = self._log = None


def _write(stream: IO[Any], data: bytes) -> None:
    """Write all bytes to an unbuffered pipe."""
    view = memoryview(data)
    while view:
        view = view[stream.write(view) :]
