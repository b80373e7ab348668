"""Judging between two looks: what was taken in before is not read again, and nothing else comes of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.analysis.curves import Points, falling, turning
from tests.support import Plane, plane_at

from tutelage.analysis import Declared, Scope, Standing, assessment
from tutelage.control.judges import Judges
from tutelage.core.wire import Assessment
from tutelage.store import OperationRecord
from tutelage.store.records import Point

DECLARED = {"val_loss": Declared(direction="minimize", pairs="train_loss"), "train_loss": Declared()}
SCOPE = Scope(declared=DECLARED, objective="val_loss", budget=100)


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    with plane_at(tmp_path / ".tutelage") as made:
        yield made


def points(metric: str, curve: Points, *, attempt: int = 1) -> list[Point]:
    return [Point(scope="", metric=metric, attempt=attempt, step=step, value=value) for step, value in curve]


class Told:
    """An operation whose points the test itself stores."""

    def __init__(self, plane: Plane) -> None:
        self.store = plane.parts.base.store
        self.id = plane.submit({"steps": 1}).id
        self.judges = Judges()

    def add(self, curve: Points, train: Points = (), *, attempt: int = 1) -> None:
        with self.store.writing("NORMAL") as tx:
            given = points("train_loss", list(train), attempt=attempt) + points("val_loss", curve, attempt=attempt)
            tx.add_points(self.id, given)

    def look(self, judges: Judges | None = None) -> Assessment:
        with self.store.reading() as reading:
            judge = (judges or self.judges).upto_now(reading, self.record, SCOPE)
        return assessment(judge, Standing())

    @property
    def record(self) -> OperationRecord:
        with self.store.reading() as reading:
            found = reading.operation(self.id)
        assert found is not None
        return found

    def silence(self, at_s: float) -> tuple[float | None, float | None]:
        with self.store.reading() as reading:
            found = self.judges.silence(reading, self.record, at_s=at_s)
        return found.silent_s, found.interval_s


def test_each_look_says_what_a_fresh_supervisor_says(plane: Plane) -> None:
    told, val, train = Told(plane), turning(100, noise=0.02), falling(100, noise=0.02)
    for begin in range(0, 100, 7):
        told.add(val[begin : begin + 7], train[begin : begin + 7])
        assert told.look() == told.look(Judges()), begin
    assert told.look().verdict == "overfitting"


def test_train_told_before_its_evaluation_is_aligned_with_it(plane: Plane) -> None:
    told, val, train = Told(plane), turning(60), falling(60)
    for step in range(60):
        told.add([], train[step : step + 1])
        told.look()
        told.add(val[step : step + 1])
        assert told.look() == told.look(Judges()), step


def test_late_and_repeated_points_are_folded_in_as_if_they_had_come_in_time(plane: Plane) -> None:
    told, val = Told(plane), turning(60)
    told.add([point for point in val if point[0] % 5])
    told.look()
    told.add([point for point in val if not point[0] % 5])
    assert told.look() == told.look(Judges())
    told.add([(60, 0.1)])
    assert told.look() == told.look(Judges())


def test_a_resumed_attempt_takes_the_place_of_what_it_goes_over_again(plane: Plane) -> None:
    told = Told(plane)
    told.add(turning(80), falling(80))
    assert told.look().verdict == "overfitting"
    told.add([(step, 0.9) for step in range(30, 36)], [(step, 0.5) for step in range(30, 36)], attempt=2)
    assert told.look().verdict != "overfitting"
    assert told.look() == told.look(Judges())


def test_silence_is_measured_from_look_to_look(plane: Plane) -> None:
    told = Told(plane)
    assert told.silence(100.0) == (0.0, None)
    for step, at_s in ((1, 110.0), (2, 120.0), (3, 130.0)):
        told.add([(step, 1.0)])
        told.silence(at_s)
    assert told.silence(200.0) == (70.0, 10.0)


def test_a_new_phase_has_a_pace_of_its_own(plane: Plane) -> None:
    told = Told(plane)
    for step, at_s in ((1, 110.0), (2, 120.0), (3, 130.0)):
        told.add([(step, 1.0)])
        told.silence(at_s)
    with told.store.writing("NORMAL") as tx:
        tx.change_operation(told.id, phase="final evaluation")
    assert told.silence(140.0) == (0.0, None)
    assert told.silence(900.0) == (760.0, None), "how long it may take is not known"


def test_a_value_that_was_not_finite_is_remembered_by_a_judge_that_begins_anew(
    plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutelage.control.judges.MAX_REFOLD", 32)
    told = Told(plane)
    told.add([(1, math.inf), (2, math.nan), *((step, 1.0) for step in range(3, 100))])
    first, anew = told.look(), told.look(Judges())
    for said in (first, anew):
        assert (said.verdict, said.since_step) == ("non_finite", 1)
