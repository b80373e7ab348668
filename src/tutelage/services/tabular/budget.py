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

USUAL_IMPORT_S, MOST_SLOWNESS = 2.0, 4.0
"""What the fit child's imports take on an idle machine, and the most that a busy one is taken to multiply it by."""

MOST_KEPT = 0.3
"""Of the limit: what is kept at most for the end."""

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
        self.slowness = 1.0
        """How many times slower than usual the machine was seen to be; the end's reserve grows with it."""

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
    def hard_left_s(self) -> float:
        """Seconds until whatever runs is killed."""
        return math.inf if self.limit_s is None else max(LEAST_S, self.limit_s * OVERRUN - self.work_s)

    @property
    def usable_s(self) -> float:
        """Seconds left for fits: what is left less the time that importance, plots and documents take."""
        return (
            math.inf
            if self.limit_s is None
            else self.left_s - min(finish_s(self.limit_s) * self.slowness, MOST_KEPT * self.limit_s)
        )

    def note(self) -> None:
        """Keep the time worked in the operation's folder, at most every half second."""
        if self._file is None or self.limit_s is None or self._clock() - self._noted_s < NOTE_EVERY_S:
            return
        write_json(self._file, {"work_s": round(self.work_s, 3)})
        self._noted_s = self._clock()

    def see_import(self, import_s: float) -> None:
        """Take the time that the fit child's imports took for a measure of how busy the machine is."""
        self.slowness = min(MOST_SLOWNESS, max(1.0, import_s / USUAL_IMPORT_S))

    def check_left(self, what: str) -> None:
        """Raise TimeLimit when nothing is left to train in after `what`."""
        if self.limit_s is not None and self.left_s < LEAST_S / 2:
            raise TimeLimit(
                f"{what} ended after {self.work_s:.1f} s of timeLimit {self.limit_s:g} s: no time is left to train",
                hint=f"raise timeLimit to {math.ceil(2 * self.work_s + 10)} or more, or use fewer rows",
            )


def finish_s(limit_s: float) -> float:
    """Return the seconds that are kept for the importance of the columns, documents and plots."""
    return min(1.5 + 0.03 * limit_s, 0.25 * limit_s, 15.0) + EXPLAIN_SHARE * limit_s


def _worked_s(file: Path | None) -> float:
    """Return what earlier attempts noted; nothing noted is a first attempt."""
    if file is None:
        return 0.0
    try:
        return float(json.loads(file.read_text())["work_s"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0
