"""One application behind two doors: the Unix socket, and where it is asked for, TCP."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from tutelage.core.errors import InvalidSpec

GRACE_S = 2
DEFAULT_PORT = 8765


@dataclass(frozen=True, kw_only=True)
class Listening:
    """Where `tutelage serve` listens."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    allowed_hosts: tuple[str, ...] = ()

    @property
    def scheme(self) -> str:
        """How its own port is spoken to."""
        return "https" if self.tls_cert else "http"

    def address(self) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
        """Return the address to bind. Raises InvalidSpec for a host that is no address of this machine."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except (OSError, UnicodeError) as error:
            raise InvalidSpec(f"--host {self.host!r} is no address: {error}", hint="127.0.0.1 is the default") from None
        family, _, _, _, address = found[0]
        return family, address

    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach the port."""
        return ipaddress.ip_address(str(self.address()[1][0]).partition("%")[0]).is_loopback

    def check(self) -> None:
        """Raise InvalidSpec for a port that others could reach and overhear, or for half a certificate."""
        if (self.tls_cert is None) != (self.tls_key is None):
            raise InvalidSpec("--tls-cert and --tls-key belong together", hint="give both, or neither")
        for path in (self.tls_cert, self.tls_key):
            if path is not None and not path.is_file():
                raise InvalidSpec(f"there is no file {path}")
        if not (self.is_loopback() or self.tls_cert or self.behind_proxy):
            raise InvalidSpec(
                f"--host {self.host} can be reached from other machines, and tokens would travel in the clear",
                hint="give --tls-cert and --tls-key; or --behind-proxy where a proxy of yours speaks TLS",
            )

    def listen(self) -> socket.socket:
        """Bind the port. Raises InvalidSpec where that cannot be."""
        self.check()
        family, address = self.address()
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            listener.close()
            raise InvalidSpec(f"cannot listen on {self.host} port {self.port}: {error.strerror}") from None
        listener.listen(512)
        return listener

    def url(self, listener: socket.socket) -> str:
        """Return the address to type for a bound port."""
        host, port = listener.getsockname()[:2]
        name = socket.gethostname() if ipaddress.ip_address(host).is_unspecified else host
        return f"{self.scheme}://[{name}]:{port}" if ":" in name else f"{self.scheme}://{name}:{port}"


class Servers:
    """Serves several listeners in one event loop, and ends them together."""

    def __init__(self) -> None:
        self._servers: list[tuple[_Quiet, socket.socket]] = []
        self._around: list[Callable[[], AbstractAsyncContextManager[None]]] = []
        self._should_exit = False

    def add(self, app: ASGIApp, listener: socket.socket, listening: Listening | None = None) -> None:
        """Serve an application on a listener; TLS and the proxy's headers as `listening` says."""
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            log_config=None,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            proxy_headers=bool(listening and listening.behind_proxy),
            forwarded_allow_ips="*" if listening and listening.behind_proxy else None,
            ssl_certfile=listening.tls_cert if listening else None,
            ssl_keyfile=listening.tls_key if listening else None,
        )
        self._servers.append((_Quiet(config), listener))

    def run_within(self, around: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        """Have something run in the same event loop for as long as they serve."""
        self._around.append(around)

    @property
    def should_exit(self) -> bool:
        """Whether they are to end; event streams look at it, too."""
        return self._should_exit

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        self._should_exit = value
        for server, _ in self._servers:
            server.should_exit = value

    def run(self) -> None:
        """Serve until told to end, or until SIGINT or SIGTERM; the second of them does not wait for anybody."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            asyncio.run(self._serve())
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, _number: int, _frame: FrameType | None) -> None:
        """End; asked again, at once."""
        if self._should_exit:
            for server, _ in self._servers:
                server.force_exit = True
        self.should_exit = True

    async def _serve(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for around in self._around:
                await stack.enter_async_context(around())
            await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in self._servers))


class _Quiet(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the handlers as they are."""
        yield
