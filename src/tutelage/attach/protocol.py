"""What a script may do with its run. Standard library only: a script pays nothing for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

Save = Callable[[Path], None]
"""Writes a checkpoint's files into an empty folder."""

Direction = Literal["minimize", "maximize"]


class ScriptRun(Protocol):
    """What a script may do with its run, inside an operation and outside."""

    id: str | None
    seed: int
    attempt: int
    settings: Mapping[str, Any]

    def metric(
        self, step: int, values: Mapping[str, float] | None = None, /, *, scope: str = "", **named: float
    ) -> None:
        """Report named numbers at a step; a name that is not declared needs `define` to be judged."""

    def define(
        self,
        metric: str,
        *,
        direction: Direction | None = None,
        unit: str | None = None,
        pairs: str | None = None,
        objective: bool = False,
        baseline: float | None = None,
        baseline_name: str = "",
    ) -> None:
        """Declare a metric: its direction, its training twin (`pairs`), the trivial baseline."""

    def log(self, text: str, *, level: str = "info") -> None:
        """Write one line to the operation's log."""

    def progress(self, done: float, total: float | None = None, *, message: str = "") -> None:
        """Say how far the script is, in steps."""

    def phase(self, name: str) -> None:
        """Say what the script does now."""

    def should_stop(self) -> bool:
        """Tell whether somebody asked it to stop, pause or cancel: save what matters, and end."""

    def should_checkpoint(self) -> bool:
        """Tell whether somebody asked for a checkpoint that has not been written yet."""

    def checkpoint(self, step: int, save: Save, metrics: Mapping[str, float] | None = None) -> Path | None:
        """Let `save(folder)` write resumable state, and keep it; return where it lies, None if it could not be kept."""

    def resume(self) -> Path | None:
        """Return the folder of the checkpoint to go on from, or None for a fresh start."""

    def artifact(self, name: str) -> Path:
        """Return the path under which to write a file that is to be kept."""

    def finish(self, **result: Any) -> None:
        """Add fields to the operation's result document."""
