"""How long an operation will still take, by its own progress."""

from __future__ import annotations

from tutelage.core.operation import LIVE
from tutelage.store import OperationRecord


def remaining_s(record: OperationRecord, *, now_s: float) -> float | None:
    """Return the estimated seconds left of a live operation; None where nothing has been done in this attempt yet."""
    told = record.progress
    total, done, began_s, first = told.get("total"), told.get("done"), told.get("began_s"), told.get("first", 0)
    if not total or not done or not began_s or done <= first or record.state not in LIVE:
        return None
    at_s = told.get("at_s", now_s)
    left_s: float = (total - done) * (at_s - began_s) / (done - first) - (now_s - at_s)
    return max(0.0, round(left_s, 1))
