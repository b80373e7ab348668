"""The run of every rank but the first: it tells nothing, keeps nothing and hears nothing by itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.core.commands import Command
from tutelage.core.ports import Save


class SilentRun:
    """Stands in for the run that rank 0 has."""

    id, device, attempt, cpus, memory_gib = "", "cpu", 1, 1, 0.0

    def __init__(self, *, seed: int, folder: Path) -> None:
        self.seed, self.dir = seed, folder

    def metric(self, step: int, values: Mapping[str, float] | None = None, /, **named: float) -> None:
        """Tell nothing."""

    def scope(self, name: str) -> SilentRun:
        """Return itself."""
        return self

    def log(self, text: str, *, level: str = "info") -> None:
        """Tell nothing."""

    def progress(self, done: float, total: float | None, *, message: str = "", unit: str = "") -> None:
        """Tell nothing."""

    def phase(self, name: str) -> None:
        """Tell nothing."""

    def sample(self, data: Mapping[str, Any], *, step: int | None = None) -> None:
        """Tell nothing."""

    def define(self, metric: str, **declared: Any) -> None:
        """Declare nothing."""

    def judge(self, *scopes: str, until: int | None = None) -> None:
        """Declare nothing."""

    def checkpoint(self, step: int, save: Save, metrics: Mapping[str, float] | None = None) -> Path:
        """Rank 0 alone writes checkpoints."""
        raise AssertionError("only rank 0 writes checkpoints")

    def resume(self) -> Path | None:
        """Rank 0 alone knows."""
        return None

    def next_command(self) -> Command | None:
        """Rank 0 alone hears."""
        return None

    def applied(self, command: Command, *, step: int | None = None, detail: str = "") -> None:
        """Rank 0 alone answers."""

    def refused(self, command: Command, *, reason: str) -> None:
        """Rank 0 alone answers."""

    def ask(self, question: str, *, timeout_s: float) -> None:
        """Rank 0 alone asks."""

    def artifact(self, name: str) -> Path:
        """Rank 0 alone writes artifacts."""
        raise AssertionError("only rank 0 writes artifacts")
