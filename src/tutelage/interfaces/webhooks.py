"""Sends messages to webhooks: to the address that was checked, without following redirects."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Mapping

import httpx

from tutelage import __version__

TIMEOUT_S = 10.0
METADATA = ipaddress.ip_address("fd00:ec2::254")
"""Where a cloud's machine asks for its own credentials by IPv6; by IPv4 that address is link-local."""

Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, in the system's order. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    resolve: Resolve = resolve,
    transport: httpx.BaseTransport | None = None,
) -> str | None:
    """Send a message; return why it failed, or None once the receiver took it.

    The name is resolved once and the connection goes to that very address, so that no second answer leads elsewhere.
    """
    try:
        asked = httpx.URL(url)
        port = asked.port or (443 if asked.scheme == "https" else 80)
        address = resolve(asked.host, port)[0]
    except (OSError, ValueError, OverflowError, IndexError, httpx.InvalidURL) as error:
        return f"{url} has no address: {error}"
    if not may_be_told(address):
        return f"{asked.host} is {address}, which no message is sent to"
    pinned = asked.copy_with(host=address, port=port)
    sent = {**headers, "Host": asked.netloc.decode(), "User-Agent": f"tutelage/{__version__}"}
    try:
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False, transport=transport) as http:
            answer = http.post(pinned, content=body, headers=sent, extensions={"sni_hostname": asked.host})
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {error}"
    return None if answer.is_success else f"the receiver answered {answer.status_code}"


def may_be_told(address: str) -> bool:
    """Tell whether messages may go to an address: not to link-local ones, where clouds answer with credentials."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    refused = found.is_link_local or found.is_multicast or found.is_unspecified or found == METADATA
    return not (refused or (found.is_reserved and not found.is_loopback))
