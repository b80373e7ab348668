"""The run as one of several models has it: its own scope and seed, its checkpoints numbered on from those before."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tutelage.core.commands import Command
from tutelage.core.errors import InvalidSpec
from tutelage.core.ports import Reporter, Run, Save

PLACE, BEST, WEIGHTS = "models.json", "best.safetensors", "model.safetensors"
"""In each checkpoint: how far the operation is, and the best weights of the model it is of."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """How far an operation of several models is: the models that ended, and where checkpoints are numbered on from."""

    number: int = 0
    offset: int = 0
    results: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    best: float | None = None
    """Of the model at `number`, its best evaluation so far."""
    folder: Path | None = None
    """The checkpoint that this place was read from."""

    @classmethod
    def read(cls, folder: Path | None) -> Place:
        """Return the place of a checkpoint, or the beginning. Raises InvalidSpec for one of a single model."""
        if folder is None:
            return cls()
        if not (folder / PLACE).is_file():
            raise InvalidSpec(
                "the checkpoint is of one model, and this operation trains several",
                hint="begin its models with init_from_path instead",
            )
        return cls(**json.loads((folder / PLACE).read_text()), folder=folder)

    def after(self, name: str, result: dict[str, Any], *, last_step: int) -> Place:
        """Return the place behind a model."""
        return Place(number=self.number + 1, offset=last_step, results={**self.results, name: result})

    def document(self, best: float | None) -> dict[str, Any]:
        """Return what a checkpoint keeps of it."""
        return {"number": self.number, "offset": self.offset, "results": dict(self.results), "best": best}


class ModelRun:
    """A run for `fit`: metrics go to `model=NAME` at the model's own steps, checkpoints to the operation's numbers.

    Each checkpoint also holds the best weights so far of its model: the operation keeps the best of all models only.
    """

    def __init__(self, run: Run, *, name: str, place: Place, seed: int, total_steps: int) -> None:
        self._run, self._place, self._total_steps = run, place, total_steps
        self._reporter: Reporter = run.scope(f"model={name}")
        self.name, self.seed, self.data_seed = name, seed, run.seed
        self.id, self.device, self.dir, self.attempt = run.id, run.device, run.dir, run.attempt
        self.cpus, self.memory_gib = run.cpus, run.memory_gib
        self.last_step = place.offset
        self._best = place.best
        self._kept = place.folder / BEST if place.folder is not None else None

    @property
    def best_weights(self) -> Path | None:
        """The file of the model's best weights; None where no evaluation was kept."""
        return self._kept if self._kept is not None and self._kept.is_file() else None

    def metric(self, step: int, values: Mapping[str, float] | None = None, /, **named: float) -> None:
        """Report in the model's scope, at the model's own step."""
        self._reporter.metric(step, values, **named)

    def scope(self, name: str) -> Reporter:
        """Return a reporter inside the model's scope."""
        return self._reporter.scope(name)

    def log(self, text: str, *, level: str = "info") -> None:
        """Write a line to the operation's log."""
        self._run.log(text, level=level)

    def progress(self, done: float, total: float | None, *, message: str = "", unit: str = "") -> None:
        """Say how far the operation is: the models before this one count with the steps they took."""
        self._run.progress(
            self._place.offset + done,
            max(self._total_steps, self._place.offset + done),
            message=f"{self.name}: {message}",
            unit=unit,
        )

    def phase(self, name: str) -> None:
        """Say what the operation does now."""
        self._run.phase(name)

    def sample(self, data: Mapping[str, Any], *, step: int | None = None) -> None:
        """Show something the model made."""
        self._reporter.sample(data, step=step)

    def define(self, metric: str, **declared: Any) -> None:
        """Declare a metric of the operation."""
        self._run.define(metric, **declared)

    def judge(self, *scopes: str, until: int | None = None) -> None:
        """Leave the judged scopes as the operation has them."""

    def checkpoint(self, step: int, save: Save, metrics: Mapping[str, float] | None = None) -> Path:
        """Write a checkpoint of the operation, with its place and the model's best weights."""
        value = (metrics or {}).get("val_loss")
        is_best = value is not None and (self._best is None or value < self._best)
        best = value if is_best else self._best

        def save_all(folder: Path) -> None:
            save(folder)
            source = folder / WEIGHTS if is_best else self._kept
            if source is not None:
                shutil.copyfile(source, folder / BEST)
            (folder / PLACE).write_text(json.dumps(self._place.document(best)))

        # The port promises a folder; on a full disk there is none, and the training goes on.
        written = self._run.checkpoint(self._place.offset + step, save_all, metrics)
        if written is not None:
            self.last_step = self._place.offset + step
            self._best, self._kept = best, written / BEST
        return written

    def resume(self) -> Path | None:
        """Return the checkpoint to go on from, if it is of this model."""
        return self._place.folder

    def next_command(self) -> Command | None:
        """Return the operation's next command."""
        return self._run.next_command()

    def applied(self, command: Command, *, step: int | None = None, detail: str = "") -> None:
        """Say that a command took effect at a step of this model."""
        self._run.applied(command, step=step, detail=detail)

    def refused(self, command: Command, *, reason: str) -> None:
        """Say that a command cannot be followed."""
        self._run.refused(command, reason=reason)

    def ask(self, question: str, *, timeout_s: float) -> None:
        """Ask for an approval."""
        self._run.ask(question, timeout_s=timeout_s)

    def artifact(self, name: str) -> Path:
        """Return the path of an artifact of the operation."""
        return self._run.artifact(name)
