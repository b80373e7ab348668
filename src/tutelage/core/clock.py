"""Wall-clock time as the wire writes it: UTC, milliseconds, a trailing Z."""

from __future__ import annotations

import datetime as dt
import time


def now_s() -> float:
    """Return seconds since the epoch."""
    return time.time()


def iso(at_s: float | None) -> str | None:
    """Render seconds since the epoch as `2026-01-31T12:00:00.000Z`."""
    if at_s is None:
        return None
    moment = dt.datetime.fromtimestamp(at_s, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(at: str) -> float:
    """Return seconds since the epoch of what `iso` rendered."""
    return dt.datetime.fromisoformat(at).timestamp()
