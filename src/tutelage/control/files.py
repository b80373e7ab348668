"""Writing of an operation's files by the supervisor: whole or not at all; commands by appending."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tutelage.core import atomic
from tutelage.core.commands import Command
from tutelage.core.errors import DiskFull


@contextmanager
def room_on_disk() -> Iterator[None]:
    """Say that the disk is full in our words."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(f"no room on the disk of the home: {error}", hint="free some space and ask again") from error


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON file by rename, its folder made. Raises DiskFull where there is no room."""
    with room_on_disk():
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_json(path, document, durable=True)


def read_json(path: Path) -> Any | None:
    """Return a JSON file's content, or None where there is no valid one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def append_command(path: Path, command: Command) -> None:
    """Append one command for the worker to read."""
    with room_on_disk(), path.open("ab") as file:
        file.write(_line(command))


def replace_commands(path: Path, commands: Iterable[Command]) -> None:
    """Write the commands that a new attempt begins with."""
    with room_on_disk():
        atomic.write_bytes(path, b"".join(map(_line, commands)))


def tail_lines(path: Path, num_lines: int, *, max_bytes: int = 64_000) -> list[str]:
    """Return the last lines of a text file."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - max_bytes))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.splitlines()[-num_lines:] if num_lines else []


def _line(command: Command) -> bytes:
    return json.dumps(command.line()).encode() + b"\n"
