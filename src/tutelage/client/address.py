"""Where a Tutelage answers: a Unix socket in a home, or a URL with a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

LOCAL_URL = "http://tutelage"
"""The host name of requests that travel over a Unix socket; nothing resolves it."""

TIMEOUT = httpx.Timeout(30.0, connect=5.0)


@dataclass(frozen=True, kw_only=True)
class Address:
    """One Tutelage, here or elsewhere."""

    url: str
    socket: Path | None = None
    token: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return str(self.socket) if self.socket else self.url

    def open(self, headers: Mapping[str, str] | None = None) -> httpx.Client:
        """Return an HTTP client of this address.

        On a socket there is no TLS to verify (reading the certificates costs 25 ms) and no proxy to ask.
        """
        transport = httpx.HTTPTransport(uds=str(self.socket), verify=False) if self.socket else None
        authorization = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return httpx.Client(
            base_url=self.url,
            transport=transport,
            trust_env=self.socket is None,
            timeout=TIMEOUT,
            headers={**(headers or {}), **authorization},
        )
