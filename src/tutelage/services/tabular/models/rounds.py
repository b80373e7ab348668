"""What a learner says of its rounds: reports of each, and how many there were."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

Report = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class RoundCount:
    """Rounds trained, and those after which the validation loss was best."""

    trained: int | None
    best: int | None


def _never() -> bool:
    return False


class Deadline:
    """Tells a learner after each round whether to end with it: the next one would end too late, or is not wanted."""

    def __init__(
        self,
        end_s: float = math.inf,
        *,
        clock: Callable[[], float] = time.monotonic,
        is_asked: Callable[[], bool] = _never,
    ) -> None:
        """Take the moment on the clock by which the last round must have ended, and what tells of a wish to end."""
        self._end_s, self._clock, self._is_asked = end_s, clock, is_asked
        self._last_s: float | None = None
        self.has_come = self.was_asked = False

    def is_near(self) -> bool:
        """Note the end of a round; True where another one as long would end after the deadline, or on a wish."""
        now_s = self._clock()
        round_s = 0.0 if self._last_s is None else now_s - self._last_s
        self._last_s = now_s
        self.has_come, self.was_asked = now_s + round_s > self._end_s, self._is_asked()
        return self.has_come or self.was_asked
