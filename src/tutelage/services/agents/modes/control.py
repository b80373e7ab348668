"""The training that a mode's own is compared with: same budget and seeds, told in a scope of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.core.commands import Command
from tutelage.core.ports import Run, Save
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.training import Training
from tutelage.training.outcome import Ending


class ControlRun:
    """A run within a run: figures go to scope `control=NAME`, commands are the operation's, nothing is kept.

    A resume begins the comparison anew; it is the same one, since its seeds are.
    """

    def __init__(self, run: Run, name: str) -> None:
        self._run, self._scope, self._name = run, run.scope(f"control={name}"), name
        self.id, self.seed, self.dir, self.device = run.id, run.seed, run.dir, run.device
        self.attempt, self.cpus, self.memory_gib = run.attempt, run.cpus, run.memory_gib

    def metric(self, step: int, values: Mapping[str, float] | None = None, /, **named: float) -> None:
        """Tell figures in the comparison's scope."""
        self._scope.metric(step, {**(values or {}), **named})

    def scope(self, name: str) -> Any:
        """Return a scope that tells nothing: a comparison tells its means alone."""
        return _Silence()

    def log(self, text: str, *, level: str = "info") -> None:
        """Write to the log."""
        self._run.log(f"{self._name}: {text}", level=level)

    def progress(self, done: float, total: float | None, *, message: str = "", unit: str = "") -> None:
        """Tell how far the comparison is."""
        self._run.progress(done, total, message=f"comparison: {self._name}", unit=unit)

    def phase(self, name: str) -> None:
        """The operation's phase stays `comparing`."""

    def sample(self, data: Mapping[str, Any], *, step: int | None = None) -> None:
        """Give no samples."""

    def define(self, metric: str, **declared: Any) -> None:
        """Declare nothing: the operation has declared it."""

    def judge(self, *scopes: str, until: int | None = None) -> None:
        """Judge nothing."""

    def checkpoint(self, step: int, save: Save, metrics: Mapping[str, float] | None = None) -> Path:
        """Nothing is kept of a comparison."""
        raise AssertionError("a comparison writes no checkpoints")

    def resume(self) -> Path | None:
        """A comparison begins anew."""
        return None

    def next_command(self) -> Command | None:
        """Return what the operation is asked."""
        return self._run.next_command()

    def applied(self, command: Command, *, step: int | None = None, detail: str = "") -> None:
        """Answer for the operation; a step of the comparison is none of its steps."""
        self._run.applied(command, detail=f"{detail}; in the comparison".strip("; "))

    def refused(self, command: Command, *, reason: str) -> None:
        """Answer for the operation."""
        self._run.refused(command, reason=reason)

    def ask(self, question: str, *, timeout_s: float) -> None:
        """A comparison asks nothing."""
        raise AssertionError("a comparison asks nothing")

    def artifact(self, name: str) -> Path:
        """A comparison leaves no files."""
        raise AssertionError("a comparison writes no artifacts")


class _Silence:
    def metric(self, step: int, values: Mapping[str, float] | None = None, /, **named: float) -> None:
        """Tell nothing."""


class ControlTraining(Training):
    """A training that keeps no checkpoint."""

    def _save(self) -> bool:
        return False


def run_control(config: AgentsConfig, run: Run, name: str) -> tuple[ControlTraining, Ending]:
    """Train a comparison; return it with how it ended."""
    training = ControlTraining(config, ControlRun(run, name))
    try:
        return training, training.run()
    finally:
        training.close()
