"""The run of a script outside Tutelage: every call does nothing."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.attach.protocol import Save


class NoRun:
    """The run of a script outside Tutelage: every call does nothing."""

    id: str | None = None
    seed = 42
    attempt = 1
    settings: Mapping[str, Any] = {}

    def __init__(self) -> None:
        self._folder: Path | None = None

    def metric(
        self, step: int, values: Mapping[str, float] | None = None, /, *, scope: str = "", **named: float
    ) -> None:
        """Do nothing."""

    def define(self, metric: str, **_: Any) -> None:
        """Do nothing."""

    def log(self, text: str, *, level: str = "info") -> None:
        """Do nothing."""

    def progress(self, done: float, total: float | None = None, *, message: str = "") -> None:
        """Do nothing."""

    def phase(self, name: str) -> None:
        """Do nothing."""

    def should_stop(self) -> bool:
        """Nobody asks."""
        return False

    def should_checkpoint(self) -> bool:
        """Nobody asks."""
        return False

    def checkpoint(self, step: int, save: Save, metrics: Mapping[str, float] | None = None) -> Path | None:
        """Keep nothing."""
        return None

    def resume(self) -> Path | None:
        """Start fresh."""
        return None

    def artifact(self, name: str) -> Path:
        """Return a path in a temporary folder that goes when the script ends."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="tutelage-artifacts-"))
            atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def finish(self, **result: Any) -> None:
        """Do nothing."""
