"""The judges of live operations, kept between two looks: each takes in only what is new, or folds anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from tutelage.analysis import Judge, Scope
from tutelage.store import OperationRecord, curves
from tutelage.store.records import SeriesRecord
from tutelage.store.store import Reading

MAX_REFOLD = 65_536
"""A curve is folded anew over at most so many newest points; more lie behind it only after very long runs."""
MAX_INTERVALS = 32
SYSTEM = "system"

Points = dict[str, list[tuple[int, float]]]


@dataclass
class Seen:
    """A judge, and the summaries of the curves up to which it has read."""

    judge: Judge
    series: dict[int, SeriesRecord]


@dataclass
class Heard:
    """When an operation last said anything, by the supervisor's clock."""

    phase: str = ""
    news: object = None
    beat: object = None
    news_at_s: float | None = None
    beat_at_s: float | None = None
    intervals: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_INTERVALS))


@dataclass(frozen=True, kw_only=True)
class Silence:
    """How long nothing was heard; None where it is not known."""

    silent_s: float | None
    interval_s: float | None
    heartbeat_s: float | None


class Judges:
    """Holds what follows from the store alone, to save reading it again; a new supervisor begins with none of it."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], Seen] = {}
        self._heard: dict[str, Heard] = {}

    def forget(self, operation: str) -> None:
        """Drop what is held of an operation."""
        self._heard.pop(operation, None)
        for key in [key for key in self._seen if key[0] == operation]:
            del self._seen[key]

    def upto_now(self, reading: Reading, record: OperationRecord, scope: Scope) -> Judge:
        """Return the judge of a scope, with every stored point taken in."""
        key = (record.id, scope.name)
        series = {item.id: item for item in reading.series(record.id, scope=scope.name)}
        seen = self._seen.get(key)
        if seen is None or seen.judge.scope != scope or not self._extend(reading, seen, series):
            seen = Seen(Judge(scope), series)
            taken = seen.judge.extend(_all_points(reading, list(series.values())))
            assert taken, "a fresh judge takes every point"
        seen.series = series
        self._seen[key] = seen
        return seen.judge

    def _extend(self, reading: Reading, seen: Seen, series: Mapping[int, SeriesRecord]) -> bool:
        """Take in what is new; False where something old changed, so that all must be folded anew."""
        fresh: Points = {}
        for item in series.values():
            before = seen.series.get(item.id)
            if item == before:
                continue
            if before and (item.attempt != before.attempt or item.num_repeated != before.num_repeated):
                return False
            points = _points_after(reading, item, before.last_step if before else None)
            if before and len(points) != item.num_points - before.num_points:
                return False
            fresh[item.metric] = points
        return seen.judge.extend(fresh)

    def silence(self, reading: Reading, record: OperationRecord, *, at_s: float) -> Silence:
        """Return how long a running operation has said nothing, measured from look to look."""
        heard = self._heard.setdefault(record.id, Heard())
        counts = [(item.scope, item.num_points, item.last_step) for item in reading.series(record.id)]
        news = ([item for item in counts if item[0] != SYSTEM], dict(record.progress))
        beat = [item for item in counts if item[0] == SYSTEM]
        if heard.phase != record.phase:  # a final evaluation has a pace of its own
            heard.phase, heard.news_at_s = record.phase, None
            heard.intervals.clear()
        if news != heard.news or heard.news_at_s is None:
            if heard.news_at_s is not None:
                heard.intervals.append(at_s - heard.news_at_s)
            heard.news, heard.news_at_s = news, at_s
        if beat != heard.beat:
            heard.beat, heard.beat_at_s = beat, at_s
        return Silence(
            silent_s=at_s - heard.news_at_s if heard.news_at_s is not None else None,
            interval_s=median(heard.intervals) if len(heard.intervals) >= 2 else None,
            heartbeat_s=at_s - heard.beat_at_s if beat and heard.beat_at_s is not None else None,
        )


def _all_points(reading: Reading, series: Sequence[SeriesRecord]) -> Points:
    """Return every curve's newest points, and the first that is not finite, however long ago: that holds for good."""
    found: Points = {}
    for item in series:
        points = found[item.metric] = _points_after(reading, item, None)
        if len(points) == MAX_REFOLD:
            inside = curves.segments(reading.connection, item.id, item.attempt)
            odd = curves.read_first_odd(reading.connection, item.id, inside)
            found[item.metric] = [odd, *points] if odd and odd[0] < points[0][0] else points
    return found


def _points_after(reading: Reading, item: SeriesRecord, last_step: int | None) -> list[tuple[int, float]]:
    """Return the points in force after a step, the newest 65,536 at most."""
    inside = curves.segments(reading.connection, item.id, item.attempt)
    if last_step is not None:
        inside = curves.clip(inside, last_step + 1, None)
    return sorted(curves.read_newest(reading.connection, item.id, inside, MAX_REFOLD).items())
