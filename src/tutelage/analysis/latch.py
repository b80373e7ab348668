"""Hysteresis: a finding is raised after several evaluations in a row, and taken back after several without."""

from __future__ import annotations


class Latch:
    """On after `hold` evaluations in a row that are hot; off after `clear` in a row that are not even warm."""

    __slots__ = ("_clear", "_count", "_hold", "is_on", "since_step")

    def __init__(self, *, hold: int, clear: int) -> None:
        self._hold, self._clear, self._count = hold, clear, 0
        self.is_on = False
        self.since_step: int | None = None

    def feed(self, *, hot: bool, warm: bool, since_step: int, hold: int | None = None) -> None:
        """Take one evaluation in; `since_step` is kept from the evaluation that raises."""
        if self.is_on:
            self._count = 0 if warm else self._count + 1
            if self._count >= self._clear:
                self.is_on, self._count, self.since_step = False, 0, None
            return
        self._count = self._count + 1 if hot else 0
        if self._count >= (hold or self._hold):
            self.is_on, self._count, self.since_step = True, 0, since_step
