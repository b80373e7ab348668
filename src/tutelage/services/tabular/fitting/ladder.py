"""What is tried instead of losing a fit: fewer rows, fewer rounds, a lighter model; every step is recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tutelage.core.atomic import write_json
from tutelage.core.ports import Run
from tutelage.services.tabular.catalog import CLASSIFICATION

ROW_SHARES = (1.0, 0.5, 0.25, 0.125)
ROUND_SHARES = (1.0, 0.5, 0.25)
LEAST_ROWS = 200
"""No step goes below so many rows: a model of less says nothing."""

STEPS = "ladder.json"
"""In the operation's folder: the steps taken so far, by all attempts."""


@dataclass(frozen=True, kw_only=True)
class Rung:
    """Shares of the rows and of the rounds that a fit asks for."""

    rows: float = 1.0
    rounds: float = 1.0

    def next(self, *, num_rows: int, has_rounds: bool) -> Rung | None:
        """Return the next rung down: rows halved, then rounds; None once only a lighter model is left."""
        fewer = next((share for share in ROW_SHARES if share < self.rows), None)
        if fewer is not None and fewer * num_rows >= LEAST_ROWS:
            return replace(self, rows=fewer)
        shorter = next((share for share in ROUND_SHARES if share < self.rounds), None)
        return replace(self, rounds=shorter) if has_rounds and shorter is not None else None


TOP = Rung()


def lighter_than(algorithm: str, task: str) -> str | None:
    """Return the lighter algorithm for a task, or None below the lightest.

    LightGBM's bins take a byte a cell and its rounds end at any deadline; naive Bayes and ridge pass the rows once.
    """
    lightest = "naive_bayes" if task == CLASSIFICATION else "ridge"
    if algorithm == lightest:
        return None
    passes_once = ("lightgbm", "linear_regression", "lasso", "elastic_net", "logistic_regression")
    return lightest if algorithm in passes_once else "lightgbm"


class Ladder:
    """The steps taken, in order, kept in the operation's folder and warned of in the log."""

    def __init__(self, run: Run) -> None:
        self._run, self._file = run, run.dir / STEPS
        self.steps: list[Mapping[str, Any]] = _read(self._file)

    def record(self, step: str, before: Any, after: Any, *, at: str, reason: str) -> None:
        """Enter a step (`rows`, `rounds`, `model` or `folds`); one that was taken before is not entered again."""
        entry = {"step": step, "at": at, "from": before, "to": after, "reason": reason}
        if any({**known, "reason": ""} == {**entry, "reason": ""} for known in self.steps):
            return
        self.steps.append(entry)
        write_json(self._file, self.steps)
        self._run.log(f"{at}: {step} from {before} to {after}: {reason}", level="warning")

    def record_rung(self, old: Rung, new: Rung, *, num_rows: int, rounds: int, at: str, reason: str) -> None:
        """Enter the difference between two rungs of a fit that asks for `num_rows` and `rounds`."""
        if new.rows != old.rows:
            self.record("rows", int(num_rows * old.rows), int(num_rows * new.rows), at=at, reason=reason)
        if new.rounds != old.rounds:
            before, after = (max(1, int(rounds * rung.rounds)) for rung in (old, new))
            self.record("rounds", before, after, at=at, reason=reason)


def _read(file: Path) -> list[Mapping[str, Any]]:
    try:
        steps: list[Mapping[str, Any]] = json.loads(file.read_text())
    except (OSError, ValueError):
        return []
    return steps
