"""The link to a host: the ordinary client, whose every trouble but a plain refusal means that the link is cut."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from tutelage import __version__
from tutelage.client import Client
from tutelage.client.address import Address
from tutelage.client.uploads import with_uploads
from tutelage.core import wire
from tutelage.core.clock import from_iso
from tutelage.core.errors import (
    DamagedFile,
    Forbidden,
    HostUnreachable,
    RateLimited,
    TutelageError,
    Unauthorized,
    VersionMismatch,
    WrongHost,
)
from tutelage.core.hosts import HostAddress

TIMEOUT = httpx.Timeout(10.0, connect=3.0)
Answer = TypeVar("Answer")
REFUSED_LINK = (RateLimited, Unauthorized, Forbidden, WrongHost)
"""Answers that speak of the link, not of the request: they may be other ones later."""


class HostLink:
    """One host of the settings. Thread-safe; opened at the first call, and again after each cut."""

    def __init__(self, name: str, address: HostAddress) -> None:
        self.name = name
        there = Address(url=address.url.rstrip("/"), token=address.token)
        self._client = Client(lambda: there, open_=_open)
        self._is_checked = False

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def ask(self, call: Callable[[Client], Answer]) -> Answer:
        """Return what the host answers to a call of the client.

        Raises HostUnreachable where the link is at fault - then the same may be asked again later - and otherwise
        the error with which the host refuses.
        """
        try:
            return call(self._client)
        except (ValidationError, ValueError, KeyError) as error:
            raise self._cut(f"its answer is not understood: {type(error).__name__}") from error
        except TutelageError as error:
            if isinstance(error, REFUSED_LINK) or error.status >= 500:
                raise self._cut(error.message) from error
            raise

    def check_version(self) -> None:
        """Ask once after each cut which version the host runs. Raises VersionMismatch, or HostUnreachable."""
        if self._is_checked:
            return
        found = self.ask(lambda client: client.health()).version
        if _series(found) != _series(__version__):
            raise VersionMismatch(
                f"host {self.name!r} runs Tutelage {found}, this is {__version__}",
                hint=f"install {_series(__version__)} on both",
            )
        self._is_checked = True

    def prepare(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return a spec as the host takes it: files of this machine sent once by content, and run there itself."""
        sent = self.ask(lambda client: with_uploads(client, spec))
        return {**sent, "executor": "local"}

    def fetch_artifacts(self, remote: str, root: Path) -> None:
        """Bring the artifacts here; those that are here already, by size and time, are not fetched again."""
        for item in self.ask(lambda client: client.artifacts(remote)):
            target = _inside(root, item.name)
            at_s = from_iso(item.created_at) if item.created_at else None
            if not _is_same(target, item.bytes, at_s):
                self._download(remote, item.name, target)
                if at_s is not None:
                    os.utime(target, (at_s, at_s))

    def info(self) -> wire.HostInfo:
        """Return its slots, or why it cannot be reached."""
        try:
            version = self.ask(lambda client: client.health()).version
            there = self.ask(lambda client: client.hosts())[0]
        except TutelageError as error:
            return wire.HostInfo(name=self.name, reachable=False, detail=error.message)
        return there.model_copy(update={"name": self.name, "version": version})

    def _download(self, remote: str, name: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        self.ask(lambda client: client.download(remote, name, target))

    def _cut(self, why: str) -> HostUnreachable:
        self._is_checked = False
        return HostUnreachable(
            f"host {self.name!r} cannot be reached: {why}",
            hint="`tutelage hosts` shows how it stands",
        )


def _open(address: Address, headers: Mapping[str, str]) -> httpx.Client:
    http = address.open(headers)
    http.timeout = TIMEOUT
    return http


def _series(version: str) -> str:
    """Return the part of a version within which hosts understand one another."""
    return ".".join(version.split(".")[:2])


def _inside(root: Path, name: str) -> Path:
    """Return where an artifact lies here. Raises DamagedFile for a name that leads out of the folder."""
    target = (root / name).resolve()
    if not target.is_relative_to(root.resolve()):
        raise DamagedFile(f"the host lists an artifact outside its folder: {name[:200]!r}", hint="look at the host")
    return target


def _is_same(path: Path, size: int, at_s: float | None) -> bool:
    if at_s is None or not path.is_file():
        return False
    found = path.stat()
    return found.st_size == size and abs(found.st_mtime - at_s) < 0.001
