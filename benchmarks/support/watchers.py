"""Many watchers of event streams in one process: raw connections to the Unix socket, arrival times by event."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ID = re.compile(rb"(?m)^id: (\d+)\r?$")
REQUEST = "GET /api/v1/operations/{operation}/events HTTP/1.1\r\nHost: tutelage\r\nAccept: text/event-stream\r\n\r\n"
BUFFER_BYTES = 1 << 16
STALLED_BUFFER_BYTES = 4096


@dataclass
class Watcher:
    """One connection: when each event's cursor came."""

    operation: str
    arrived_s: dict[int, float] = field(default_factory=dict)
    num_repeated: int = 0

    async def watch(self, path: Path, ended: asyncio.Event) -> None:
        """Read until told to end."""
        reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 20)
        writer.write(REQUEST.format(operation=self.operation).encode())
        rest = b""
        while not ended.is_set():
            try:
                async with asyncio.timeout(1.0):
                    block = await reader.read(BUFFER_BYTES)
            except TimeoutError:
                continue
            if not block:
                break
            rest = self._take(rest + block, time.monotonic())
        writer.close()

    def _take(self, block: bytes, at_s: float) -> bytes:
        """Note the events of the whole lines, and return what is left."""
        whole, _, rest = block.rpartition(b"\n")
        for cursor in ID.findall(whole + b"\n"):
            number = int(cursor)
            self.num_repeated += number in self.arrived_s
            self.arrived_s.setdefault(number, at_s)
        return rest


class Stalled:
    """Connections that ask for a stream and never read."""

    def __init__(self, path: Path, operation: str, count: int) -> None:
        self._sockets = []
        for _ in range(count):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STALLED_BUFFER_BYTES)
            connection.connect(str(path))
            connection.sendall(REQUEST.format(operation=operation).encode())
            self._sockets.append(connection)

    def close(self) -> None:
        """Hang up."""
        for connection in self._sockets:
            connection.close()


def lags_ms(watchers: Sequence[Watcher], readable_s: dict[int, float], after_s: float) -> list[float]:
    """Return, of every event that became readable after `after_s`, how long it took to each of its watchers."""
    return [
        1000 * max(0.0, at_s - readable_s[cursor])
        for watcher in watchers
        for cursor, at_s in watcher.arrived_s.items()
        if readable_s.get(cursor, 0.0) > after_s
    ]
