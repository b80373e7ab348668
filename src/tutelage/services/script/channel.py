"""The worker's end of the socket over which a script reports and hears commands."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Handle = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]
"""Takes one message of the script and returns the answer to it, if it waits for one."""

MAX_LINE = 1 << 20
DRAIN_S = 5.0


class Channel:
    """Accepts the script's connections, one for each of its processes that asks for a run."""

    def __init__(self, hello: Mapping[str, Any], handle: Handle, *, warn: Callable[[str], None]) -> None:
        self._hello, self._handle, self._warn = dict(hello), handle, warn
        self._folder = Path(tempfile.mkdtemp(prefix="tutelage-run-"))
        self.address = self._folder / "socket"
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(self.address))
        self._server.listen()
        self._connections: list[socket.socket] = []
        self._readers: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._acceptor = threading.Thread(target=self._accept, daemon=True, name="script-accept")
        self._acceptor.start()

    @property
    def is_connected(self) -> bool:
        """Whether a process of the script has ever asked for its run."""
        return bool(self._readers)

    def say(self, message: Mapping[str, Any]) -> None:
        """Tell every connected process."""
        line = f"{json.dumps(message)}\n".encode()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.sendall(line)

    def close(self) -> None:
        """Take what the ended script has still sent, and end."""
        for reader in self._readers:
            reader.join(DRAIN_S)
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._acceptor.join(DRAIN_S)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                with self._lock:
                    connection.sendall(f"{json.dumps(self._hello)}\n".encode())
                    self._connections.append(connection)
                reader = threading.Thread(target=self._read, args=(connection,), daemon=True, name="script-read")
                self._readers.append(reader)
                reader.start()

    def _read(self, connection: socket.socket) -> None:
        """Handle the lines of one process until it hangs up."""
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            while line := lines.readline(MAX_LINE):
                self._take(connection, line)

    def _take(self, connection: socket.socket, line: bytes) -> None:
        try:
            answer = self._handle(json.loads(line))
        except Exception as error:  # noqa: BLE001  a message that cannot be handled is named and left out
            self._warn(f"a report of the script could not be taken: {type(error).__name__}: {error}"[:500])
            return
        if answer is not None:
            with self._lock, contextlib.suppress(OSError):
                connection.sendall(f"{json.dumps(answer)}\n".encode())
