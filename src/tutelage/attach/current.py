"""Finds the run of this process."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutelage.attach.protocol import ScriptRun

ADDRESS = "TUTELAGE_RUN"
"""The environment variable that holds the socket's path inside an operation."""


@cache
def current_run() -> ScriptRun:
    """Return the run of this process: of the operation that started it, else one whose every call does nothing."""
    # Imported here: `import tutelage` costs a script nothing.
    from tutelage.attach.absent import NoRun

    address = os.environ.get(ADDRESS)
    if not address:
        return NoRun()
    from tutelage.attach.attached import AttachedRun, connected

    try:
        return AttachedRun(connected(address))
    except (OSError, ValueError, KeyError):
        return NoRun()
