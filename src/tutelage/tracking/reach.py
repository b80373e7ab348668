"""Whether a tracker may be asked, and answers: resolved once, probed within seconds, before MLflow is imported.

MLflow itself asks a dead server for minutes, and follows any redirect.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import sqlite3
import ssl
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tutelage.core.tracking import HTTP, SQLITE, check_uri, why_refused

CONNECT_S = 2.0
ANSWER_S = 2.0
PROBE_S = 4.0
"""All of it: name, connection, answer. A server that sends a byte a second is no server."""


class Unreachable(Exception):
    """The tracker is not there, must not be asked, or does not answer as one."""


def reach(uri: str) -> None:
    """Return when the tracker answers. Raises Unreachable, after at most `PROBE_S` for a server."""
    check_uri(uri)
    parts = urlsplit(uri)
    if parts.scheme not in HTTP:
        return check_database(Path(uri.removeprefix(SQLITE)))
    failed: list[Exception] = []
    probe = threading.Thread(target=_probe_into, args=(parts, failed), daemon=True, name="probe")
    probe.start()
    probe.join(PROBE_S)
    if probe.is_alive():
        raise Unreachable(f"{parts.netloc} did not answer within {PROBE_S:g} s")
    if failed:
        raise Unreachable(str(failed[0])) from failed[0]
    return None


def check_database(path: Path) -> None:
    """Raise Unreachable unless the file is a tracker's database or not there yet: MLflow would alter any other."""
    if not path.exists() or path.stat().st_size == 0:
        if not path.parent.is_dir():
            raise Unreachable(f"there is no folder {path.parent}")
        return
    try:
        with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=CONNECT_S) as connection:
            found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise Unreachable(f"{path} cannot be read as SQLite: {error}") from error
    if found and not {"experiments", "runs", "alembic_version"} <= found:
        raise Unreachable(f"{path} is a database of something else than MLflow")


def _probe_into(parts: Any, failed: list[Exception]) -> None:
    try:
        _probe(parts)
    except Unreachable as error:
        failed.append(error)
    except (OSError, http.client.HTTPException, ValueError) as error:
        failed.append(Unreachable(f"{parts.netloc}: {type(error).__name__}: {error}"))


def _probe(parts: Any) -> None:
    """Resolve, hold the name to these addresses from now on, and ask for the server's health."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = resolve(parts.hostname, port)
    pin(parts.hostname, found)
    with _connect(found) as plain:
        plain.settimeout(ANSWER_S)
        channel = plain
        if parts.scheme == "https":
            channel = ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname)
        asking = http.client.HTTPConnection(parts.hostname, port)
        asking.sock = channel
        asking.request("GET", f"{parts.path.rstrip('/')}/health")
        status = asking.getresponse().status
    if 300 <= status < 400:
        raise Unreachable(f"{parts.netloc} redirects (HTTP {status}); name the address it leads to")
    if status >= 500:
        raise Unreachable(f"{parts.netloc} answers HTTP {status}")


def resolve(host: str, port: int) -> list[Any]:
    """Return the host's addresses as `getaddrinfo` does. Raises Unreachable where one of them is refused."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreachable(f"{host} cannot be resolved: {error}") from error
    for *_, address in found:
        if why := why_refused(ipaddress.ip_address(str(address[0]).partition("%")[0])):
            raise Unreachable(f"{host} resolves to {address[0]}, which is {why}")
    return list(found)


def pin(host: str, found: list[Any]) -> None:
    """Let this process resolve nothing but `host`, and that to the addresses that were checked.

    A name that changes its address between the check and its use, and a server that sends a client elsewhere,
    lead nowhere.
    """

    def answer(asked: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        name = asked.decode() if isinstance(asked, bytes) else str(asked)
        if name.strip("[]").lower() != host.lower():
            raise socket.gaierror(f"{name} is not the tracker {host}")
        return [(*rest, (address[0], int(port or 0), *address[2:])) for *rest, address in found]

    socket.getaddrinfo = answer  # type: ignore[assignment]


def _connect(found: list[Any]) -> socket.socket:
    """Return a connection to the first address that takes one."""
    failed: OSError = OSError("it has no address")
    for family, kind, protocol, _, address in found[:4]:
        channel = socket.socket(family, kind, protocol)
        channel.settimeout(CONNECT_S / min(len(found), 4) if len(found) > 1 else CONNECT_S)
        try:
            channel.connect(address)
        except OSError as error:
            channel.close()
            failed = error
        else:
            return channel
    raise failed
