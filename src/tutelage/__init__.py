"""Tutelage: the training platform that people and AI agents run together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutelage.attach import ScriptRun

__version__ = "0.1.0"

__all__ = ["__version__", "current_run"]


def current_run() -> ScriptRun:
    """Return the run of this process: of the operation that started it, else one whose every call does nothing."""
    # Imported here: `import tutelage` costs a script nothing.
    from tutelage.attach import current_run as attached

    return attached()
