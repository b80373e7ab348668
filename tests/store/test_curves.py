"""Curves against a plain model: the newest value wins, later attempts supersede, extremes survive down-sampling."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tutelage.store import Store, curves
from tutelage.store.records import Point

VALUES = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf])
BATCHES = st.lists(
    st.tuples(st.booleans(), st.lists(st.tuples(st.integers(0, 60), VALUES), min_size=1, max_size=12)), max_size=8
)


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path / "t.db")
    yield opened
    opened.close()


def write(
    store: Store, attempt: int, points: list[tuple[int, float]], *, operation: str = "op", scope: str = ""
) -> None:
    rows = [Point(scope=scope, metric="loss", attempt=attempt, step=step, value=value) for step, value in points]
    with store.writing("NORMAL") as tx:
        tx.add_points(operation, rows)


def read(store: Store, *, operation: str = "op") -> tuple[curves.SeriesRecord | None, dict[int, float]]:
    with store.reading() as reading:
        series = next(iter(reading.series(operation, scope="")), None)
        if series is None:
            return None, {}
        inside = curves.segments(reading.connection, series.id, series.attempt)
        return series, curves.read_values(reading.connection, series.id, inside)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, is_cold=st.booleans())
def test_a_curve_is_what_a_dictionary_would_hold(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[bool, list[tuple[int, float]]]], is_cold: bool
) -> None:
    """Model: a new attempt drops everything from its first step on; within an attempt the last value of a step wins."""
    store = Store(tmp_path_factory.mktemp("curve") / "t.db")
    model: dict[int, float] = {}
    stored: set[tuple[int, int]] = set()
    attempt, given_points, highest = 1, 0, {}
    for is_new_attempt, points in batches:
        if is_new_attempt:
            attempt += 1
        if attempt not in highest:
            first = min(step for step, _ in points)
            model = {step: value for step, value in model.items() if step < first}
            highest[attempt] = first
        elif min(step for step, _ in points) < highest[attempt]:
            points = [(max(step, highest[attempt]), value) for step, value in points]
        model.update(dict(points))
        stored.update((attempt, step) for step, _ in points)
        given_points += len(points)
        write(store, attempt, points)
        if is_cold:
            store._forget()
    series, found = read(store)
    assert found.keys() == model.keys()
    assert all(same(found[step], model[step]) for step in model)
    if series is not None:
        assert series.num_points == len(stored)
        assert series.num_repeated == given_points - len(stored)
        finite = {step: value for step, value in model.items() if math.isfinite(value)}
        assert series.min_value == min(finite.values(), default=None)
        assert series.max_value == max(finite.values(), default=None)
        assert series.last_step == max(model)
        assert same(series.last_value, model[max(model)])
    store.close()


@pytest.mark.parametrize("num", [1_000, 20_000])
def test_down_sampling_keeps_ends_extremes_and_non_finite_values(store: Store, num: int) -> None:
    points = [(step, math.sin(step / 50)) for step in range(num)]
    points[num // 3] = (num // 3, 7.0)
    points[num // 2] = (num // 2, -7.0)
    points[num // 5] = (num // 5, math.nan)
    for begin in range(0, num, 997):
        write(store, 1, points[begin : begin + 997])
    with store.reading() as reading:
        series = reading.series("op", scope="")[0]
        inside = curves.segments(reading.connection, series.id, series.attempt)
        steps = curves.pick_steps(reading.connection, series, inside, 100)
    assert {0, num - 1, num // 3, num // 2, num // 5} <= set(steps)
    assert len(steps) <= 110


def test_buckets_equal_a_scan_after_repeats_and_attempts(store: Store) -> None:
    write(store, 1, [(step, float(step % 97)) for step in range(6_000)])
    write(store, 1, [(100, -50.0), (5_000, 500.0)])
    write(store, 2, [(step, float(step % 89)) for step in range(4_500, 9_000)])
    with store.reading() as reading:
        series = reading.series("op", scope="")[0]
        for segment in curves.segments(reading.connection, series.id, series.attempt):
            values = curves.read_values(reading.connection, series.id, [segment])
            for low in range(segment.first // 512 + 1, segment.last // 512):
                inside = {step: value for step, value in values.items() if step // 512 == low}
                row = reading.connection.exec_driver_sql(
                    "SELECT num_points, min_value, max_value FROM buckets WHERE series=? AND attempt=? AND bucket=?",
                    (series.id, segment.attempt, low),
                ).one()
                assert tuple(row) == (len(inside), min(inside.values()), max(inside.values()))
    assert series.num_repeated == 2
    assert series.max_value == 96.0


def test_scopes_are_apart(store: Store) -> None:
    write(store, 1, [(1, 1.0)])
    write(store, 1, [(1, 2.0)], scope="trial=1")
    write(store, 1, [(1, 3.0)], operation="op2")
    with store.reading() as reading:
        assert [series.scope for series in reading.series("op")] == ["", "trial=1"]
        assert reading.scopes("op") == ["", "trial=1"]
