"""Writing and reading of metrics: a narrow table of points, a summary of each curve, buckets for long ones."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from tutelage.store.records import Point, SeriesRecord

BUCKET_STEPS = 512
LONG = 8 * BUCKET_STEPS
"""From so many points on, a curve has buckets."""

INSERT_POINT = "INSERT OR IGNORE INTO points(series, attempt, step, value) VALUES(?, ?, ?, ?)"
REPLACE_POINT = "INSERT OR REPLACE INTO points(series, attempt, step, value) VALUES(?, ?, ?, ?)"
SERIES_NAMES = tuple(item.name for item in fields(SeriesRecord))
SERIES_COLUMNS = ", ".join(SERIES_NAMES)
UPDATE_SERIES = (
    "UPDATE series SET num_points=?, num_repeated=?, attempt=?, last_step=?, last_value=?, "
    "min_step=?, min_value=?, max_step=?, max_value=? WHERE id=?"
)
MERGE_BUCKET = """
INSERT INTO buckets(series, attempt, bucket, num_points, min_step, min_value, max_step, max_value, odd_step)
VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT(series, attempt, bucket) DO UPDATE SET
  num_points = num_points + excluded.num_points,
  min_step = CASE WHEN min_value IS NULL OR excluded.min_value < min_value THEN excluded.min_step ELSE min_step END,
  min_value = coalesce(min(min_value, excluded.min_value), min_value, excluded.min_value),
  max_step = CASE WHEN max_value IS NULL OR excluded.max_value > max_value THEN excluded.max_step ELSE max_step END,
  max_value = coalesce(max(max_value, excluded.max_value), max_value, excluded.max_value),
  odd_step = coalesce(min(odd_step, excluded.odd_step), odd_step, excluded.odd_step)
"""


@dataclass(slots=True)
class Extremes:
    """Least and greatest finite value with their earliest steps, and the first step of a non-finite one."""

    min_step: int | None = None
    min_value: float | None = None
    max_step: int | None = None
    max_value: float | None = None
    odd_step: int | None = None

    def add(self, values: Mapping[int, float]) -> None:
        """Take points in, given as step -> value; a batch at a time, as a loop over points would cost more than SQL."""
        if not all(map(math.isfinite, values.values())):
            odd_step = min(step for step, value in values.items() if not math.isfinite(value))
            self.odd_step = odd_step if self.odd_step is None else min(self.odd_step, odd_step)
            values = {step: value for step, value in values.items() if math.isfinite(value)}
        if not values:
            return
        low, high = min(values.values()), max(values.values())
        if self.min_step is None or self.min_value is None or low <= self.min_value:
            step = min(step for step, value in values.items() if value == low)
            if self.min_step is None or low != self.min_value or step < self.min_step:
                self.min_step, self.min_value = step, values[step]
        if self.max_step is None or self.max_value is None or high >= self.max_value:
            step = min(step for step, value in values.items() if value == high)
            if self.max_step is None or high != self.max_value or step < self.max_step:
                self.max_step, self.max_value = step, values[step]


@dataclass(slots=True)
class Curve:
    """A curve's summary as the writer keeps it in memory."""

    id: int
    num_points: int = 0
    num_repeated: int = 0
    attempt: int = 0
    last_step: int = -1
    last_value: float = math.nan
    extremes: Extremes = field(default_factory=Extremes)


CurveCache = dict[tuple[str, str, str], Curve]


class CurveWriter:
    """Writes points inside one transaction; `cache` holds the summaries and is dropped after a rollback."""

    def __init__(self, connection: Connection, cache: CurveCache) -> None:
        self._connection = connection
        self._cache = cache

    def add(self, operation: str, points: Iterable[Point]) -> None:
        """Store points of one operation; a second value for a key replaces the first and is counted."""
        given: defaultdict[tuple[str, str, int], list[tuple[int, float]]] = defaultdict(list)
        for point in points:
            given[point.scope, point.metric, point.attempt].append((point.step, point.value))
        summaries = []
        for scope, metric, attempt in sorted(given):
            curve = self._curve(operation, scope, metric)
            pairs = given[scope, metric, attempt]
            self._add_to(curve, attempt, dict(pairs), len(pairs))
            summaries.append(_summary_row(curve))
        if summaries:
            self._connection.exec_driver_sql(UPDATE_SERIES, summaries)

    def _add_to(self, curve: Curve, attempt: int, values: Mapping[int, float], num_given: int) -> None:
        if attempt > curve.attempt and curve.num_points:
            self._supersede(curve, before=min(values))
        rows = [(curve.id, attempt, step, value) for step, value in values.items()]
        fresh = attempt > curve.attempt or min(values) > curve.last_step
        num_new = self._connection.exec_driver_sql(INSERT_POINT, rows).rowcount
        if num_new < len(rows):
            self._connection.exec_driver_sql(REPLACE_POINT, rows)
        curve.num_repeated += num_given - num_new
        was_long = curve.num_points >= LONG
        curve.num_points += num_new
        curve.attempt = max(curve.attempt, attempt)
        self._summarise(curve, values, replaced=not fresh and num_new < len(rows))
        if curve.num_points >= LONG:
            self._fill_buckets(curve, attempt, values, rebuild=not was_long or num_new < len(rows))

    def _summarise(self, curve: Curve, values: Mapping[int, float], *, replaced: bool) -> None:
        if replaced:
            curve.extremes = self._extremes_until(curve, before=None)
        else:
            curve.extremes.add(values)
        newest = max(values)
        if newest >= curve.last_step:
            curve.last_step, curve.last_value = newest, values[newest]

    def _supersede(self, curve: Curve, *, before: int) -> None:
        """Forget what a newer attempt takes the place of: all steps from its first one on."""
        curve.extremes = self._extremes_until(curve, before=before)
        curve.last_step = before - 1

    def _extremes_until(self, curve: Curve, *, before: int | None) -> Extremes:
        """Return the extremes of the points in force, those before a step only."""
        extremes = Extremes()
        for segment in segments(self._connection, curve.id, curve.attempt, before=before):
            extremes.add(_points_in(self._connection, curve.id, segment))
        return extremes

    def _fill_buckets(self, curve: Curve, attempt: int, values: Mapping[int, float], *, rebuild: bool) -> None:
        if rebuild:
            low, high = min(values) // BUCKET_STEPS, max(values) // BUCKET_STEPS
            was_long = curve.num_points - len(values) >= LONG
            self._rebuild_buckets(curve, low if was_long else None, high if was_long else None)
            return
        self._connection.exec_driver_sql(MERGE_BUCKET, bucket_rows(curve.id, attempt, values))

    def _rebuild_buckets(self, curve: Curve, low: int | None, high: int | None) -> None:
        bounds = (curve.id, -(2**62) if low is None else low, 2**62 if high is None else high)
        self._connection.exec_driver_sql("DELETE FROM buckets WHERE series=? AND bucket BETWEEN ? AND ?", bounds)
        query = "SELECT attempt, step, value FROM points WHERE series=? AND step/512 BETWEEN ? AND ? ORDER BY attempt"
        found = self._connection.exec_driver_sql(query, bounds).fetchall()
        for attempt, group in groupby(found, key=lambda row: row[0]):
            rows = bucket_rows(curve.id, attempt, {step: _value(value) for _, step, value in group})
            self._connection.exec_driver_sql(MERGE_BUCKET, rows)

    def _curve(self, operation: str, scope: str, metric: str) -> Curve:
        key = (operation, scope, metric)
        curve = self._cache.get(key)
        if curve is None:
            curve = self._load(key) or self._create(key)
            self._cache[key] = curve
        return curve

    def _load(self, key: tuple[str, str, str]) -> Curve | None:
        record = next(iter(read_series(self._connection, key[0], scope=key[1], metrics=(key[2],))), None)
        if record is None:
            return None
        extremes = Extremes(record.min_step, record.min_value, record.max_step, record.max_value)
        return Curve(
            record.id,
            record.num_points,
            record.num_repeated,
            record.attempt,
            record.last_step,
            record.last_value,
            extremes,
        )

    def _create(self, key: tuple[str, str, str]) -> Curve:
        statement = (
            "INSERT INTO series(operation, scope, metric, num_points, num_repeated, attempt) VALUES(?, ?, ?, 0, 0, 0)"
        )
        return Curve(int(self._connection.exec_driver_sql(statement, key).lastrowid))


@dataclass(frozen=True, slots=True)
class Segment:
    """The steps of one attempt that are in force, both ends included."""

    attempt: int
    first: int
    last: int


def segments(
    connection: Connection, series: int, newest_attempt: int, *, before: int | None = None, from_step: int | None = None
) -> list[Segment]:
    """Return, oldest attempt first, which steps of each attempt are in force.

    An attempt's points hold until the first step that a later attempt reported in this curve. `before` is the first
    step of an attempt that is about to be written; `from_step` the step after which the operation's newest attempt
    goes on, for the curves of scope "" that it has not reached yet.
    """
    query = (
        "SELECT (SELECT min(step) FROM points WHERE series=? AND attempt=?), "
        "(SELECT max(step) FROM points WHERE series=? AND attempt=?)"
    )
    limit = 2**62 if before is None else before - 1
    if from_step is not None:
        limit = min(limit, from_step)
    found: list[Segment] = []
    for attempt in range(newest_attempt, 0, -1):
        first, last = connection.exec_driver_sql(query, (series, attempt) * 2).one()
        if first is None:
            continue
        if first <= limit:
            found.append(Segment(attempt, first, min(last, limit)))
        limit = min(limit, first - 1)
    return found[::-1]


def read_series(
    connection: Connection, operation: str, *, scope: str | None = None, metrics: Sequence[str] = ()
) -> list[SeriesRecord]:
    """Return the summaries of an operation's curves, of one scope and some metrics where given."""
    query = f"SELECT {SERIES_COLUMNS} FROM series WHERE operation=?"
    values: list[Any] = [operation]
    if scope is not None:
        query, values = query + " AND scope=?", [*values, scope]
    if metrics:
        query, values = query + f" AND metric IN ({', '.join('?' * len(metrics))})", [*values, *metrics]
    return [series_record(row) for row in connection.exec_driver_sql(query + " ORDER BY id", tuple(values))]


def series_record(row: Sequence[Any]) -> SeriesRecord:
    """Return the summary that a row of SERIES_COLUMNS holds."""
    record = dict(zip(SERIES_NAMES, row, strict=True))
    return SeriesRecord(**{**record, "last_value": _value(record["last_value"])})


def read_values(
    connection: Connection, series: int, inside: Sequence[Segment], steps: Sequence[int] | None = None
) -> dict[int, float]:
    """Return step -> value of the points in force, of the given steps only where given."""
    found: dict[int, float] = {}
    for segment in inside:
        found.update(_points_in(connection, series, segment, steps))
    return found


def read_newest(connection: Connection, series: int, inside: Sequence[Segment], limit: int) -> dict[int, float]:
    """Return step -> value of the newest `limit` points in force."""
    query = (
        "SELECT step, value FROM points WHERE series=? AND attempt=? AND step BETWEEN ? AND ? "
        "ORDER BY step DESC LIMIT ?"
    )
    found: dict[int, float] = {}
    for segment in reversed(inside):
        values = (series, segment.attempt, segment.first, segment.last, limit - len(found))
        found.update((step, _value(value)) for step, value in connection.exec_driver_sql(query, values))
        if len(found) >= limit:
            break
    return found


def read_first_odd(connection: Connection, series: int, inside: Sequence[Segment]) -> tuple[int, float] | None:
    """Return the first point in force that is not finite."""
    query = (
        "SELECT step, value FROM points WHERE series=? AND attempt=? AND step BETWEEN ? AND ? "
        "AND (value IS NULL OR abs(value) > 1.7976931348623157e308) ORDER BY step LIMIT 1"
    )
    for segment in inside:
        values = (series, segment.attempt, segment.first, segment.last)
        row = connection.exec_driver_sql(query, values).first()
        if row is not None:
            return row[0], _value(row[1])
    return None


def read_every_attempt(connection: Connection, series: int, limit: int) -> list[tuple[int, int, float]]:
    """Return (attempt, step, value) of the first `limit` points by step, superseded ones too."""
    query = "SELECT attempt, step, value FROM points WHERE series=? ORDER BY step, attempt LIMIT ?"
    rows = connection.exec_driver_sql(query, (series, limit))
    return [(attempt, step, _value(value)) for attempt, step, value in rows]


def clip(inside: Sequence[Segment], first: int | None, last: int | None) -> list[Segment]:
    """Return the segments within a range of steps, both ends included."""
    low, high = -(2**62) if first is None else first, 2**62 if last is None else last
    cut = [Segment(item.attempt, max(item.first, low), min(item.last, high)) for item in inside]
    return [item for item in cut if item.first <= item.last]


def count(connection: Connection, series: SeriesRecord, inside: Sequence[Segment], *, whole: bool) -> int:
    """Return how many points lie in the segments."""
    if whole and len(inside) == 1 and series.attempt <= 1:
        return series.num_points
    query = "SELECT count(*) FROM points WHERE series=? AND attempt=? AND step BETWEEN ? AND ?"
    parts = [(series.id, item.attempt, item.first, item.last) for item in inside]
    return sum(int(connection.exec_driver_sql(query, part).scalar() or 0) for part in parts)


def pick_steps(connection: Connection, series: SeriesRecord, inside: Sequence[Segment], points: int) -> list[int]:
    """Return about `points` steps that keep the curve's shape: ends, minima, maxima, non-finite values."""
    if not inside:
        return []
    first, last = min(segment.first for segment in inside), max(segment.last for segment in inside)
    groups = max(1, (points - 2) // 2 - 1)
    width = max(1, math.ceil((last - first + 1) / groups))
    read = _extremes_by_bucket if width >= BUCKET_STEPS and series.num_points >= LONG else _extremes_by_scan
    picked = {first, last}
    for segment in inside:
        picked.update(step for step in read(connection, series.id, segment, width) if step is not None)
        picked.update((segment.first, segment.last))
    return sorted(step for step in picked if first <= step <= last)


def bucket_rows(series: int, attempt: int, values: Mapping[int, float]) -> list[tuple[Any, ...]]:
    """Return the rows of MERGE_BUCKET for points of one attempt, given as step -> value."""
    first, last = min(values) // BUCKET_STEPS, max(values) // BUCKET_STEPS
    if first == last:
        return [_bucket_row(series, attempt, first, values)]
    found: defaultdict[int, dict[int, float]] = defaultdict(dict)
    for step, value in values.items():
        found[step // BUCKET_STEPS][step] = value
    return [_bucket_row(series, attempt, bucket, inside) for bucket, inside in found.items()]


def _bucket_row(series: int, attempt: int, bucket: int, values: Mapping[int, float]) -> tuple[Any, ...]:
    e = Extremes()
    e.add(values)
    return (series, attempt, bucket, len(values), e.min_step, e.min_value, e.max_step, e.max_value, e.odd_step)


def _extremes_by_bucket(connection: Connection, series: int, inside: Segment, width: int) -> Iterable[int | None]:
    query = (
        "SELECT bucket*512/?, min_step, min(min_value) FROM buckets WHERE series=? AND attempt=? AND bucket BETWEEN ? "
        "AND ? GROUP BY 1 UNION ALL SELECT bucket*512/?, max_step, max(max_value) FROM buckets WHERE series=? AND "
        "attempt=? AND bucket BETWEEN ? AND ? GROUP BY 1 UNION ALL SELECT bucket, odd_step, 0 FROM buckets WHERE "
        "series=? AND attempt=? AND bucket BETWEEN ? AND ? AND odd_step IS NOT NULL"
    )
    part = (series, inside.attempt, inside.first // BUCKET_STEPS, inside.last // BUCKET_STEPS)
    rows = connection.exec_driver_sql(query, (width, *part, width, *part, *part))
    return [step for _, step, _ in rows if step is not None and inside.first <= step <= inside.last]


def _extremes_by_scan(connection: Connection, series: int, inside: Segment, width: int) -> Iterable[int | None]:
    where = "WHERE series=? AND attempt=? AND step BETWEEN ? AND ?"
    finite = f"{where} AND value BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308"
    part = (series, inside.attempt, inside.first, inside.last)
    query = (
        f"SELECT step, min(value) FROM points {finite} GROUP BY step/? UNION ALL "
        f"SELECT step, max(value) FROM points {finite} GROUP BY step/? UNION ALL "
        f"SELECT min(step), 0 FROM points {where} AND (value IS NULL OR abs(value) > 1.7976931348623157e308) "
        "GROUP BY step/?"
    )
    rows = connection.exec_driver_sql(query, (*part, width, *part, width, *part, width))
    return [step for step, _ in rows]


def _points_in(
    connection: Connection, series: int, inside: Segment, steps: Sequence[int] | None = None
) -> dict[int, float]:
    """Return step -> value, from the driver's own cursor: a row object for each point would cost twice as much."""
    query = "SELECT step, value FROM points WHERE series=? AND attempt=? AND "
    values: tuple[Any, ...] = (series, inside.attempt)
    if steps is None:
        query, values = query + "step BETWEEN ? AND ?", (*values, inside.first, inside.last)
    else:  # no range beside it: SQLite would scan the range instead of looking up the steps
        wanted = json.dumps([step for step in steps if inside.first <= step <= inside.last])
        query, values = query + "step IN (SELECT value FROM json_each(?))", (*values, wanted)
    cursor = connection.exec_driver_sql(query, values).cursor
    assert cursor is not None, "a query has rows"
    found: dict[int, float | None] = dict(cursor.fetchall())
    return {step: _value(value) for step, value in found.items()}


def _value(stored: float | None) -> float:
    return math.nan if stored is None else stored


def _summary_row(curve: Curve) -> tuple[Any, ...]:
    e = curve.extremes
    counts = (curve.num_points, curve.num_repeated, curve.attempt, curve.last_step, curve.last_value)
    return (*counts, e.min_step, e.min_value, e.max_step, e.max_value, curve.id)
