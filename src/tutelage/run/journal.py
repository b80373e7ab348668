"""The append-only event file of one attempt, written by a background thread each 200 ms."""

from __future__ import annotations

import os
import threading
from collections import deque
from pathlib import Path

from tutelage.core.clock import now_s
from tutelage.core.events import Draft, EventKind, encode_line

FLUSH_S = 0.2
MAX_WAITING = 500_000
"""Events that may wait for room on the disk; about 64 MiB of lines."""


class Journal:
    """Appends events to a file without ever blocking on the disk or failing the caller.

    Lines are encoded by the journal's own thread: after a training step of other work that costs half as much as
    encoding each in the caller. A line that cannot be written (a full disk) waits and is written when there is room
    again; beyond 500,000 further ones are counted as lost, and the count is written as a log event.
    """

    def __init__(self, path: Path, *, flush_s: float = FLUSH_S) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._waiting: deque[Draft] = deque()
        self._left_over = b""
        self._lost = 0
        self._writing = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._flush_often, args=(flush_s,), name="journal", daemon=True)
        self._thread.start()

    def append(self, draft: Draft) -> None:
        """Take an event, whose data nobody changes any more; it reaches the file at the next flush."""
        if len(self._waiting) >= MAX_WAITING:
            self._lost += 1
            return
        self._waiting.append(draft)

    def flush(self, *, durable: bool = False) -> bool:
        """Write what is buffered; True when all of it reached the file (and the disk, where `durable`)."""
        with self._writing:
            try:
                self._write()
                if durable:
                    os.fsync(self._fd)
            except OSError:
                return False
        return True

    def close(self) -> None:
        """Flush and end the thread; lines appended later are lost."""
        self._closing.set()
        self._thread.join()
        self.flush(durable=True)
        os.close(self._fd)

    def _flush_often(self, flush_s: float) -> None:
        while not self._closing.wait(flush_s):
            self.flush()

    def _write(self) -> None:
        self._write_left_over()
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), 4096))]
            self._left_over = b"".join(map(_encoded, batch))
            self._write_left_over()
        if self._lost:
            self._left_over = _log_line(f"{self._lost} events were lost: the disk was full for too long")
            self._lost = 0
            self._write_left_over()

    def _write_left_over(self) -> None:
        """Write the encoded block; what a full disk leaves over stays for the next flush."""
        while self._left_over:
            written = os.write(self._fd, self._left_over)
            self._left_over = self._left_over[written:]


def _encoded(draft: Draft) -> bytes:
    """Return the event's line; for one that is not JSON, a line that says so."""
    try:
        return encode_line(draft)
    except (TypeError, ValueError) as error:
        return _log_line(f"a {draft.kind} event could not be written: {error}")


def _log_line(text: str) -> bytes:
    return encode_line(Draft(kind=EventKind.LOG, at_s=now_s(), data={"level": "error", "text": text}))
