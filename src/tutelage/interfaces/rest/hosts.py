"""Which names a server answers to, and from which pages: what keeps a rebound name or a foreign page out."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from tutelage.core.errors import Forbidden, WrongHost


def check_host(host: str, *, allowed: Collection[str], is_loopback: bool) -> None:
    """Raise WrongHost unless `host` is a name of ours: `localhost`, one that was allowed, or a plain address.

    A page whose name was rebound to this machine still sends its own name, never an address. A server bound to
    loopback answers to loopback addresses only.
    """
    name = _name_of(host)
    if name in allowed or name == "localhost":
        return
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        address = None
    if address is None or (is_loopback and not address.is_loopback):
        raise WrongHost(
            f"this server does not answer to {host[:200]!r}", hint="`tutelage serve --allowed-host NAME` allows a name"
        )


def check_origin(origin: str, *, host: str) -> None:
    """Raise Forbidden unless a page of this very server sends the request."""
    try:
        found = urlsplit(origin)
    except ValueError:
        found = urlsplit("")
    if found.scheme not in ("http", "https") or found.netloc.lower() != host.lower():
        raise Forbidden(f"requests from pages of {origin[:200]!r} are refused", hint="use a token from a program")


def _name_of(host: str) -> str:
    """Return the name in a Host header, without port and brackets, in lower case."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""
