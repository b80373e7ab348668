"""What an exporter is fed with: the curves in force, from the store, written into the operation's folder."""

from __future__ import annotations

from typing import Any

from tutelage.control.base import Base
from tutelage.control.files import write_json
from tutelage.control.histories import MAX_POINTS, history
from tutelage.core.numbers import to_json_number
from tutelage.core.operation import State
from tutelage.store import OperationRecord
from tutelage.store.store import Reading


def write_feed(base: Base, record: OperationRecord, *, state: State, error: dict[str, Any] | None) -> None:
    """Write `feed.json`: who, when, how it ended, and each curve as rows of (step, value, time in ms).

    Curves of scope "" keep their names, those of other scopes get the scope before it: `final/val_loss`. Scopes that
    are numbered (`trial=3/fold=2`) stay in the home's own store.
    """
    with base.store.reading() as reading:
        scopes = [scope for scope in reading.scopes(record.id) if "=" not in scope]
        curves = {
            name: rows for scope in scopes for name, rows in _curves(base, reading, record.id, scope=scope).items()
        }
    document = {
        "operation": record.id,
        "attempt": record.attempt,
        "service": record.service,
        "name": record.name,
        "tags": dict(record.tags),
        "state": str(state),
        "error": error,
        "started_ms": _ms(record.started_at_s or record.created_at_s),
        "ended_ms": _ms(record.ended_at_s or base.clock()),
        "curves": curves,
    }
    write_json(base.files.operation(record.id).tracking_feed, document)


def _curves(base: Base, reading: Reading, operation: str, *, scope: str) -> dict[str, list[tuple[Any, ...]]]:
    shown = history(base, operation, scope=scope, points=MAX_POINTS)
    at_s = reading.metric_times(operation, scope=scope)
    prefix = f"{scope}/" if scope else ""
    return {
        f"{prefix}{name}": [
            (step, to_json_number(value), _ms(at_s[step]))
            for step, value in zip(shown.steps, values, strict=True)
            if value is not None
        ]
        for name, values in shown.values.items()
    }


def _ms(at_s: float) -> int:
    return int(at_s * 1000)
