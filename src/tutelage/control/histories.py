"""Histories of metrics as asked for: outer-joined by step, down-sampled, or only what is new since a cursor."""

from __future__ import annotations

from collections.abc import Sequence

from tutelage.control.base import Base, found
from tutelage.core import wire
from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.events import EventKind
from tutelage.core.numbers import from_json_number
from tutelage.store import OperationRecord, curves
from tutelage.store.records import SeriesRecord
from tutelage.store.store import Reading

MAX_POINTS = 20_000
NEW_EVENTS = 5_000


def history(
    base: Base,
    operation_id: str,
    *,
    scope: str = "",
    keys: Sequence[str] = (),
    from_step: int | None = None,
    to_step: int | None = None,
    points: int = 1000,
    since: str | None = None,
    all_attempts: bool = False,
) -> wire.MetricHistory:
    """Return the curves of one scope."""
    if not 1 <= points <= MAX_POINTS:
        raise InvalidSpec(f"points must be from 1 to {MAX_POINTS:,}, got {points}")
    with base.store.reading() as reading:
        record = found(reading, operation_id)
        service = base.service_of(record)
        series = _chosen(reading, record, scope, keys)
        unit = service.unit_of(scope) if service else "step"
        if since is not None:
            return _since(reading, record, scope, unit, [item.metric for item in series], cursor_row(since))
        if all_attempts:
            return _every_attempt(reading, record, scope, unit, series, points)
        return _in_force(reading, record, scope, unit, series, from_step, to_step, points)


def cursor_row(cursor: str | None) -> int:
    """Return the row that a cursor stands for."""
    if cursor is None or cursor == "":
        return 0
    if not cursor.isdigit() or len(cursor) > 18:
        raise InvalidSpec(f"{cursor!r} is not a cursor", hint="give back a cursor exactly as it was answered")
    return int(cursor)


def event_kinds(names: Sequence[str]) -> list[EventKind]:
    """Return the kinds of events that names stand for. Raises UnknownName for a name that is none."""
    for name in names:
        if name not in list(EventKind):
            raise unknown("event kind", name, list(EventKind))
    return [EventKind(name) for name in names]


def _chosen(reading: Reading, record: OperationRecord, scope: str, keys: Sequence[str]) -> list[SeriesRecord]:
    series = reading.series(record.id, scope=scope)
    if not series and scope:
        scopes = reading.scopes(record.id)
        if scope not in scopes:
            raise unknown("scope", scope, scopes[:50])
    names = {item.metric for item in series}
    for key in keys:
        if key not in names and names:
            raise unknown("metric", key, names)
    return [item for item in series if not keys or item.metric in keys]


def _in_force(
    reading: Reading,
    record: OperationRecord,
    scope: str,
    unit: str,
    series: Sequence[SeriesRecord],
    from_step: int | None,
    to_step: int | None,
    points: int,
) -> wire.MetricHistory:
    inside, total = {}, {}
    goes_on_after = _goes_on_after(reading, record)
    for item in series:
        after = goes_on_after if scope == "" and item.attempt < record.attempt else None
        whole = curves.segments(reading.connection, item.id, item.attempt, from_step=after)
        inside[item.metric] = clipped = curves.clip(whole, from_step, to_step)
        total[item.metric] = curves.count(reading.connection, item, clipped, whole=clipped == whole)
    picked: set[int] = set()
    read: dict[str, dict[int, float]] = {}
    is_thinned = False
    for item in series:
        if total[item.metric] <= points:
            read[item.metric] = curves.read_values(reading.connection, item.id, inside[item.metric])
            picked.update(read[item.metric])
        else:
            is_thinned = True
            budget = max(2, points // len(series))
            picked.update(curves.pick_steps(reading.connection, item, inside[item.metric], budget))
    steps = sorted(picked)
    values: dict[str, list[float | None]] = {}
    for item in series:
        known = read.get(item.metric)
        if known is None:
            known = curves.read_values(reading.connection, item.id, inside[item.metric], steps)
        values[item.metric] = [known.get(step) for step in steps]
    return wire.MetricHistory(
        operation=record.id,
        scope=scope,
        unit=unit,
        keys=[item.metric for item in series],
        steps=steps,
        values=values,
        total=total,
        repeated=sum(item.num_repeated for item in series),
        truncated=is_thinned,
        next_cursor=str(reading.last_row()),
    )


def _goes_on_after(reading: Reading, record: OperationRecord) -> int:
    """Return the step after which the newest attempt goes on; one without a checkpoint begins anew."""
    attempts = reading.attempts(record.id)
    from_step = attempts[-1].from_step if attempts else None
    return -(2**62) if from_step is None else from_step


def _every_attempt(
    reading: Reading, record: OperationRecord, scope: str, unit: str, series: Sequence[SeriesRecord], points: int
) -> wire.MetricHistory:
    """Return the points of all attempts, superseded ones too, at most `points` rows."""
    found_points: dict[tuple[int, int], dict[str, float]] = {}
    for item in series:
        for attempt, step, value in curves.read_every_attempt(reading.connection, item.id, points + 1):
            found_points.setdefault((step, attempt), {})[item.metric] = value
    rows = sorted(found_points)
    shown = rows[:points]
    return wire.MetricHistory(
        operation=record.id,
        scope=scope,
        unit=unit,
        keys=[item.metric for item in series],
        steps=[step for step, _ in shown],
        attempts=[attempt for _, attempt in shown],
        values={item.metric: [found_points[row].get(item.metric) for row in shown] for item in series},
        total={item.metric: item.num_points for item in series},
        repeated=sum(item.num_repeated for item in series),
        truncated=len(rows) > points,
        next_cursor=str(reading.last_row()),
    )


def _since(
    reading: Reading, record: OperationRecord, scope: str, unit: str, keys: Sequence[str], row: int
) -> wire.MetricHistory:
    """Return what was reported after a cursor, in order of arrival."""
    events = reading.events(record.id, after=row, limit=NEW_EVENTS, kinds=[EventKind.METRIC])
    rows = [
        (event.step, {key: float(from_json_number(value)) for key, value in event.data.get("values", {}).items()})
        for event in events
        if event.scope == scope and event.step is not None
    ]
    names = [key for key in keys if any(key in values for _, values in rows)]
    return wire.MetricHistory(
        operation=record.id,
        scope=scope,
        unit=unit,
        keys=names,
        steps=[step for step, _ in rows if step is not None],
        values={key: [values.get(key) for _, values in rows] for key in names},
        total={key: sum(1 for _, values in rows if key in values) for key in names},
        truncated=len(events) == NEW_EVENTS,
        next_cursor=str(events[-1].row if events else row),
    )
