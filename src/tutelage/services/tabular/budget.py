"""The operation's time limit: what is spent over all attempts, and what is left. Time paused does not count."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

from tutelage.core.atomic import write_json
from tutelage.core.errors import TrainingError

CLOCK = "clock.json"
"""In the operation's folder: the seconds worked so far, so that a killed worker's time counts too."""

NOTE_EVERY_S = 0.5
OVERRUN = 1.06
"""What a limit may be overdrawn by before a fit is killed for it: the promise is 1.10."""

EXPLAIN_SHARE = 0.04
"""Of the limit: what the importance of the columns may take, by the last fit's own deadline."""

MOST_KEPT = 0.25
"""Of the limit: what is kept at most for the end."""

EVALUATION_SHARE = 0.05
"""Of the limit: what is kept of the end for the evaluation, when plots and importance have had their time."""

LEAST_S = 2.0
"""What a fit is always given, so that an exhausted limit still ends with a reduced result."""


class TimeLimit(TrainingError):
    """The time limit was spent before anything could be trained."""

    code = "time_limit"


class Budget:
    """Seconds of an operation. Without a limit everything is left, always."""

    def __init__(
        self,
        *,
        limit_s: float | None,
        file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit_s = limit_s
        self._file, self._clock = file, clock
        self._before_s = _worked_s(file) if limit_s is not None else 0.0
        self._started_s = clock()
        self._noted_s = -math.inf

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit."""
        return self.limit_s is not None

    @property
    def work_s(self) -> float:
        """Seconds worked, those of earlier attempts included."""
        return self._before_s + self._clock() - self._started_s

    @property
    def left_s(self) -> float:
        """Seconds until the limit; negative once it is overdrawn, infinite without one."""
        return math.inf if self.limit_s is None else self.limit_s - self.work_s

    @property
    def deadline_s(self) -> float | None:
        """When the limit is reached, on `time.monotonic()`'s clock; None without one."""
        return None if self.limit_s is None else self._clock() + self.left_s

    @property
    def extras_deadline_s(self) -> float | None:
        """When plots, importance and exports must have ended, so that the evaluation has its time; None: no limit."""
        return None if self.limit_s is None else self._clock() + self.left_s - EVALUATION_SHARE * self.limit_s

    @property
    def hard_left_s(self) -> float:
        """Seconds until whatever runs is killed."""
        return math.inf if self.limit_s is None else max(LEAST_S, self.limit_s * OVERRUN - self.work_s)

    @property
    def usable_s(self) -> float:
        """Seconds left for fits: what is left less the time that importance, plots and documents take."""
        return math.inf if self.limit_s is None else self.left_s - finish_s(self.limit_s)

    def note(self, *, at_once: bool = False) -> None:
        """Keep the time worked in the operation's folder, at most every half second unless `at_once`."""
        if self._file is None or self.limit_s is None:
            return
        if self._clock() - self._noted_s < NOTE_EVERY_S and not at_once:
            return
        write_json(self._file, {"work_s": round(self.work_s, 3)})
        self._noted_s = self._clock()

    def check_left(self, what: str) -> None:
        """Raise TimeLimit when nothing is left to train in after `what`."""
        if self.limit_s is not None and self.left_s < LEAST_S / 2:
            raise TimeLimit(
                f"{what} ended after {self.work_s:.1f} s of timeLimit {self.limit_s:g} s: no time is left to train",
                hint=f"raise timeLimit to {math.ceil(2 * self.work_s + 10)} or more, or use fewer rows",
            )


def finish_s(limit_s: float) -> float:
    """Return the seconds that are kept for documents, importance, plots and the evaluation, at most a quarter.

    They take 5 to 9 s; where a machine is slower, what is optional among them is left out by itself.
    """
    return min(6.0 + EXPLAIN_SHARE * min(limit_s, 300.0), MOST_KEPT * limit_s)


def _worked_s(file: Path | None) -> float:
    """Return what earlier attempts noted; nothing noted is a first attempt."""
    if file is None:
        return 0.0
    try:
        return float(json.loads(file.read_text())["work_s"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0
