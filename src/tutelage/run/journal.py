"""The append-only event file of one attempt, written by a background thread each 200 ms."""

from __future__ import annotations

import os
import threading
from collections import deque
from pathlib import Path

from tutelage.core.clock import now_s
from tutelage.core.events import Draft, EventKind, encode_line

FLUSH_S = 0.2
MAX_BUFFER_BYTES = 64 << 20


class Journal:
    """Appends events to a file without ever blocking on the disk or failing the caller.

    A line that cannot be written (a full disk) stays in the buffer and is written when there is room again;
    beyond 64 MiB further lines are counted as lost, and the count is written as a log event.
    """

    def __init__(self, path: Path, *, flush_s: float = FLUSH_S) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lines: deque[bytes] = deque()
        self._buffered = 0
        self._lost = 0
        self._writing = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._flush_often, args=(flush_s,), name="journal", daemon=True)
        self._thread.start()

    def append(self, draft: Draft) -> None:
        """Take an event; it reaches the file at the next flush."""
        line = encode_line(draft)
        if self._buffered + len(line) > MAX_BUFFER_BYTES:
            self._lost += 1
            return
        self._buffered += len(line)
        self._lines.append(line)

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
        while self._lines:
            batch = [self._lines.popleft() for _ in range(min(len(self._lines), 4096))]
            block = b"".join(batch)
            try:
                self._write_block(block)
            finally:
                self._buffered = sum(map(len, self._lines)) if self._lines else 0
        if self._lost:
            text = f"{self._lost} events were lost: the disk was full for too long"
            self._lost = 0
            self._write_block(
                encode_line(Draft(kind=EventKind.LOG, at_s=now_s(), data={"level": "error", "text": text}))
            )

    def _write_block(self, block: bytes) -> None:
        """Write the whole block; what a full disk leaves over goes back to the front of the buffer."""
        written = 0
        try:
            while written < len(block):
                written += os.write(self._fd, block[written:])
        except OSError:
            self._lines.appendleft(block[written:])
            raise
