"""Attaches a user's own script to the operation that started it. Standard library only."""

from __future__ import annotations

import os
import socket
from functools import cache

from tutelage.attach.absent import NoRun
from tutelage.attach.attached import AttachedRun
from tutelage.attach.protocol import Direction, ScriptRun

ADDRESS = "TUTELAGE_RUN"
"""The environment variable that holds the socket's path inside an operation."""


@cache
def current_run() -> ScriptRun:
    """Return the run of this process: of the operation that started it, else one whose every call does nothing."""
    address = os.environ.get(ADDRESS)
    if not address:
        return NoRun()
    try:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(address)
        return AttachedRun(connection)
    except (OSError, ValueError, KeyError):
        return NoRun()


__all__ = ["ADDRESS", "Direction", "ScriptRun", "current_run"]
