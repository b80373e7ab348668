"""The commands that reach a worker: complete lines of `commands.ndjson`, each given out once,
however often it is written."""

from __future__ import annotations

import json
import time
from collections import deque
from pathlib import Path

from tutelage.core.commands import Command

LOOK_EVERY_S = 0.05


class Inbox:
    """Reads commands as the supervisor appends them; a look costs a clock reading, a stat each 50 ms."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._waiting: deque[Command] = deque()
        self._heard: set[str] = set()
        self._next_look = 0.0

    def next(self) -> Command | None:
        """Return the oldest command not given out yet, or None."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_EVERY_S
            self._read()
        return self._waiting.popleft() if self._waiting else None

    def _read(self) -> None:
        try:
            if self._path.stat().st_size <= self._offset:
                return
            with self._path.open("rb") as file:
                file.seek(self._offset)
                block = file.read()
        except FileNotFoundError:
            return
        complete = block[: block.rfind(b"\n") + 1]
        self._offset += len(complete)
        for line in complete.splitlines():
            command = Command.from_line(json.loads(line))
            if command.id not in self._heard:
                self._heard.add(command.id)
                self._waiting.append(command)
