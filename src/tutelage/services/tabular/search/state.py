"""What survives a kill: finished trials, the interrupted one's parameters and folds, their predictions."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.core.atomic import write_json
from tutelage.services.tabular.failure import PARTIAL

CHUNK = 100
"""Finished trials a file: a full file never changes and is linked from checkpoint to checkpoint."""

COMPLETE, PRUNED, FAILED, RUNNING = "complete", "pruned", "failed", "running"


@dataclass(kw_only=True)
class Trial:
    """One point of the search: its parameters and the scores of its finished folds."""

    number: int
    params: dict[str, Any]
    state: str = RUNNING
    folds: list[dict[str, float]] = field(default_factory=list)
    rounds: list[int | None] = field(default_factory=list)
    fit_s: list[float] = field(default_factory=list)
    reason: str = ""
    value: float | None = None
    values: dict[str, float] = field(default_factory=dict)
    rows: int | None = None
    rung: dict[str, float] = field(default_factory=dict)

    def means(self, objective: str) -> list[float]:
        """Return the running mean of the objective after each fold: what the pruner compares."""
        scores = [fold[objective] for fold in self.folds]
        return [float(np.mean(scores[: count + 1])) for count in range(len(scores))]

    def mean(self, objective: str) -> float:
        """Return an objective's mean over the folds; a fit's time is one too."""
        return float(np.mean(self.fit_s if objective == "fit_s" else [fold[objective] for fold in self.folds]))

    def error(self, objective: str, splits: Sequence[tuple[Any, Any]]) -> float | None:
        """Return the standard error of the mean over the folds, None for a single one.

        Folds share training rows, so their variance says too little: it counts 1/n + (held-out / training rows) times
        (C. Nadeau and Y. Bengio, Inference for the generalization error, Machine Learning 52, 2003).
        """
        if objective == "fit_s" or len(self.folds) < 2:
            return None
        shared = float(np.mean([len(held) / len(train) for train, held in splits]))
        variance = float(np.var([fold[objective] for fold in self.folds], ddof=1))
        return math.sqrt(variance * (1 / len(self.folds) + shared))

    def summary(self) -> dict[str, dict[str, float]]:
        """Return mean and standard deviation of every score over the folds."""
        names = [name for name in self.folds[0] if all(name in fold for fold in self.folds)] if self.folds else []
        columns = {name: [fold[name] for fold in self.folds] for name in names}
        return {
            name: {"mean": float(np.mean(values)), "std": float(np.std(values))} for name, values in columns.items()
        }


@dataclass(kw_only=True)
class State:
    """The search as it stands; `num_fits` counts finished fits and is the checkpoint's step.

    `fold_rows` caps the folds' training rows; `bounds` holds [first trial, {space.PARAM.low|high: value}] of each tune.
    """

    fingerprint: str
    trials: list[Trial] = field(default_factory=list)
    current: Trial | None = None
    num_fits: int = 0
    spent_s: float = 0.0
    work_s: float = 0.0
    tuned: dict[str, float] = field(default_factory=dict)
    tuned_over: dict[str, float | None] = field(default_factory=dict)
    stopped: bool = False
    operation: str = ""
    best_number: int | None = None
    fold_rows: int | None = None
    bounds: list[list[Any]] = field(default_factory=list)
    predictions: dict[int, list[Any]] = field(default_factory=dict)
    approval: dict[str, Any] | None = None
    """The yes to the final fit, once it is given."""

    final_rounds: int | None = None
    """The rounds after which the final fit was asked to end."""

    @property
    def best(self) -> Trial | None:
        """The best complete trial."""
        return None if self.best_number is None else self.trials[self.best_number]

    def forget_predictions(self) -> None:
        """Keep the out-of-fold predictions of the best and the current trial only."""
        kept = {self.best_number, self.current.number if self.current else None}
        self.predictions = {number: folds for number, folds in self.predictions.items() if number in kept}


def saver(state: State, previous: Path | None) -> Callable[[Path], None]:
    """Return what writes `state` into an empty folder; files that cannot have changed are linked from `previous`."""
    written = previous if previous and previous.is_dir() else None

    def save(folder: Path) -> None:
        head = {name: value for name, value in vars(state).items() if name not in ("trials", "current", "predictions")}
        head["current"] = asdict(state.current) if state.current else None
        head["num_trials"] = len(state.trials)
        (folder / "state.json").write_text(json.dumps(head))
        for start in range(0, len(state.trials), CHUNK):
            trials = state.trials[start : start + CHUNK]
            target = folder / f"trials-{start:06d}.json"
            if not (len(trials) == CHUNK and _link(written, target)):
                target.write_text(json.dumps([asdict(trial) for trial in trials]))
        for number, folds in state.predictions.items():
            for fold, values in enumerate(folds):
                target = folder / f"oof-{number:06d}-{fold:04d}.npy"
                if not _link(written, target):
                    np.save(target, values)

    return save


def _link(previous: Path | None, target: Path) -> bool:
    """Give an unchanged file of the previous checkpoint a second name here; copy where the disk has no links."""
    source = previous / target.name if previous else None
    if source is None or not source.is_file():
        return False
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return True


def load(folder: Path) -> State:
    """Read what `saver` wrote."""
    head: dict[str, Any] = json.loads((folder / "state.json").read_text())
    num_trials = head.pop("num_trials")
    current = head.pop("current")
    trials: list[Trial] = []
    for start in range(0, num_trials, CHUNK):
        trials += [_trial(item) for item in json.loads((folder / f"trials-{start:06d}.json").read_text())]
    predictions: dict[int, list[Any]] = {}
    for path in sorted(folder.glob("oof-*.npy")):
        predictions.setdefault(int(path.stem.split("-")[1]), []).append(np.load(path, allow_pickle=False))
    return State(**head, current=_trial(current) if current else None, trials=trials, predictions=predictions)


def _trial(item: Mapping[str, Any]) -> Trial:
    return Trial(**item)


def write_partial(folder: Path, state: State) -> None:
    """Keep what a failure must not lose."""
    best = state.best
    write_json(folder / PARTIAL, {"bestParams": best.params if best else None, "nTrials": len(state.trials)})
