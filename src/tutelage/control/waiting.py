"""Waiting until something happens: `verdict_change, phase, eval, terminal, step>=N, METRIC<x, METRIC>x`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from tutelage.control.base import Base, found
from tutelage.core.errors import InvalidSpec
from tutelage.core.operation import ENDED, State
from tutelage.store import OperationRecord
from tutelage.store.store import Reading

NAMED = ("terminal", "verdict_change", "phase", "eval")
COMPARISON = re.compile(r"([A-Za-z_][\w.]*)\s*(>=|<=|<|>)\s*(-?[\d.]+(?:[eE][-+]?\d+)?)\Z")
MAX_TIMEOUT_S = 3600.0
TESTS: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
}
NOTHING_MORE = ENDED | {State.PAUSED}
"""States in which nothing more happens by itself."""


class Waiting:
    """One wait: asked again after each change until it says how it ended.

    A condition other than `terminal` also ends the wait, unreached, when the operation ends or is paused.
    """

    def __init__(self, base: Base, operation_id: str, *, until: str, timeout_s: float) -> None:
        if not 0 <= timeout_s <= MAX_TIMEOUT_S:
            raise InvalidSpec(f"timeout_s must be from 0 to {MAX_TIMEOUT_S:g}, got {timeout_s:g}")
        self._base = base
        self._operation_id = operation_id
        self._until = until
        self._holds = condition(until)
        self._deadline = time.monotonic() + timeout_s
        self._begin: dict[str, Any] | None = None

    @property
    def left_s(self) -> float:
        """How much of the time is left."""
        return max(0.0, self._deadline - time.monotonic())

    def reached(self) -> bool | None:
        """Return True when the condition holds, False when it cannot come any more, None to go on waiting."""
        with self._base.store.reading() as reading:
            record = found(reading, self._operation_id)
            now = _snapshot(reading, record)
        self._begin = self._begin or now
        if self._holds(self._begin, now):
            return True
        over = record.state in ENDED or (record.state in NOTHING_MORE and self._until != "terminal")
        return False if over or not self.left_s else None


def condition(until: str) -> Callable[[dict[str, Any], dict[str, Any]], bool]:
    """Parse `until` into a test of (how it stood at first, how it stands now)."""
    if until == "terminal":
        return lambda begin, now: now["state"] in ENDED
    if until in NAMED:
        key = {"verdict_change": "verdict", "phase": "phase", "eval": "evaluations"}[until]
        return lambda begin, now: begin[key] != now[key]
    match = COMPARISON.match(until)
    if match is None:
        raise InvalidSpec(
            f"cannot wait until {until!r}", hint=f"allowed: {', '.join(NAMED)}, step>=N, METRIC<x, METRIC>x"
        )
    name, sign, number = match.group(1), match.group(2), float(match.group(3))
    return lambda begin, now: name in now["values"] and TESTS[sign](now["values"][name], number)


def _snapshot(reading: Reading, record: OperationRecord) -> dict[str, Any]:
    series = reading.series(record.id, scope="")
    steps = [item.last_step for item in series]
    assessment = (record.judgement or {}).get("assessment") or {}
    return {
        "state": record.state,
        "phase": record.phase,
        "verdict": assessment.get("verdict"),
        "evaluations": sum(item.num_points for item in series),
        "values": {**{item.metric: item.last_value for item in series}, **({"step": max(steps)} if steps else {})},
    }
