"""A TCP proxy that misbehaves: it cuts, it falls silent, it swallows answers to requests that arrived."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

BLOCK = 65_536


class Proxy:
    """Stands between two supervisors; what it does to a connection is decided at each block."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.is_cut = False
        self.num_swallowed = 0
        self._swallow = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self.is_cut = True
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.is_cut = False

    def swallow(self, request: bytes) -> None:
        """Let the next request that begins so arrive, and break the connection before its answer."""
        self._swallow = request

    def close(self) -> None:
        self._ended.set()
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        there = urlsplit(self.target)
        assert there.port is not None
        with contextlib.suppress(OSError), near, socket.create_connection(("127.0.0.1", there.port)) as far:
            self._open |= {near, far}
            try:
                self._pass_on(near, far)
            finally:
                self._open -= {near, far}

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        is_swallowing = False
        with selectors.DefaultSelector() as ready:
            ready.register(near, selectors.EVENT_READ, far)
            ready.register(far, selectors.EVENT_READ, near)
            while not self.is_cut:
                for key, _ in ready.select(1.0):
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    block = source.recv(BLOCK)
                    if not block or (is_swallowing and source is far):
                        self.num_swallowed += is_swallowing
                        return
                    if source is near and self._swallow and block.startswith(self._swallow):
                        is_swallowing, self._swallow = True, b""
                    key.data.sendall(block)


@contextmanager
def proxy_to(target: str) -> Iterator[Proxy]:
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
