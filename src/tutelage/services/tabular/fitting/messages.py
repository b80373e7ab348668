"""What the worker and its fit child say to each other: pickled records, length first, over the child's pipes."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, kw_only=True)
class HoldOut:
    """Ask for a division of rows into (kept, held out): by class, whole groups, or the newest rows held out."""

    labels: Any
    share: float
    seed: int
    stratify: bool
    groups: Any = None
    times: Any = None


@dataclass(frozen=True, kw_only=True)
class Resample:
    """How each fit's training rows are balanced: `ratio` is a smaller class's rows, at least, over the biggest's."""

    kind: str
    ratio: float
    neighbours: int


@dataclass(frozen=True, kw_only=True)
class Load:
    """Hand over the typed training rows and, where it is there, the typed test rows."""

    task: str
    reader: Any
    frame: Any
    target: Any
    test_frame: Any
    test_target: Any
    threads: int
    class_weight: Any = None
    """`balanced`, a weight for each class in the order of the sorted classes, or None."""

    resample: Resample | None = None
    """Balances each fit's training rows, never those that are scored."""


@dataclass(frozen=True, kw_only=True)
class Divide:
    """Ask for the folds of the loaded training rows, and for the final fit's validation part."""

    strategy: str
    folds: int
    shuffle: bool
    seed: int
    repeats: int = 1
    groups: Any = None
    times: Any = None


@dataclass(frozen=True, kw_only=True)
class Divided:
    """The row numbers of every split, and the trivial model's scores by fold."""

    folds: list[tuple[Rows, Rows]]
    final: tuple[Rows, Rows]
    trivial: list[dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Calibrate:
    """Ask for the correction of probabilities (rows, classes) that were predicted for rows held out, NaN for none."""

    method: str
    truth: Any
    probabilities: Any


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Ask for one fit.

    `validation` rows are scored and end the fit early where `early_stopping` rounds bring nothing; `rounds` replaces
    the parameter's number of rounds; `keep` is where the whole pipeline is written, which is then scored on the
    test, with probabilities corrected by `calibrator` and classes predicted at `threshold`.
    """

    algorithm: str
    params: Mapping[str, Any]
    seed: int
    train: Rows
    validation: Rows | None = None
    rounds: int | None = None
    early_stopping: int | None = None
    max_points: int = 100
    keep: Path | None = None
    threshold: float | None = None
    calibrator: Any = None
    time_s: float | None = None
    """After so many seconds a learner in rounds ends and keeps those it has."""

    explain_s: float | None = None
    """What the importance of the columns may take: fewer rows are shuffled where all would take longer."""


@dataclass(frozen=True, kw_only=True)
class End:
    """Ask the fit that runs to end with the round it is in, and to keep the rounds it has; it answers as ever."""


@dataclass(frozen=True, kw_only=True)
class Apply:
    """Ask for a function of ours, `package.module:name`, called with what is loaded and with the arguments.

    It is imported in the child: what it needs costs the worker nothing, and a kill there loses only its answer.
    """

    function: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """Points of a fit's curve, as (round, values)."""

    points: list[tuple[int, dict[str, float]]]


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A finished fit. Predictions are numbers, or one probability a class in the order of the sorted classes."""

    scores: dict[str, float]
    predictions: Any
    fit_s: float
    num_rounds: int | None
    best_rounds: int | None
    predict_ms: float = 0.0
    warnings: tuple[str, ...] = ()
    is_cut: bool = False
    """Whether `time_s` ended it before its last round."""

    is_ended: bool = False
    """Whether `End` ended it before its last round."""

    keep_s: float = 0.0
    """Time that writing, loading, testing and explaining the kept model took, after `fit_s`."""

    test_scores: dict[str, float] = field(default_factory=dict)
    test_predictions: Any = None
    importance: dict[str, float] = field(default_factory=dict)
    calibration: dict[str, Any] | None = None
    clusters: Any = None


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A fit that did not end by itself: `reason` is `ended` (asked to), or a code of errors.FIT_ERRORS."""

    reason: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What an applied function returned; wrapped, since None alone is the end of the stream."""

    value: Any


def send(channel: IO[bytes], message: Any) -> None:
    """Write one message."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    channel.write(LENGTH.pack(len(body)))
    channel.write(body)
    channel.flush()


def receive(channel: IO[bytes]) -> Any:
    """Read one message, or None at the end of the stream."""
    head = channel.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = channel.read(length)
    return pickle.loads(body) if len(body) == length else None
