from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tabular_support import config, job, make_run

from tutelage.control.tuning import check_tune
from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.services.tabular import SERVICE
from tutelage.services.tabular.budget import LEAST_S, Budget, TimeLimit, finish_s
from tutelage.services.tabular.catalog import ALGORITHMS, CLASSIFICATION, REGRESSION
from tutelage.services.tabular.config.limits import TIME_BOUND_TRIALS, num_trials
from tutelage.services.tabular.fitting.ladder import TOP, Ladder, Rung, lighter_than
from tutelage.services.tabular.fitting.memory import Need, Shape, estimate_bytes
from tutelage.services.tabular.fitting.pace import Pace, pace_of, rows_within
from tutelage.services.tabular.fitting.subsample import subsample
from tutelage.services.tabular.models.algorithms import REGISTRY
from tutelage.services.tabular.models.rounds import Deadline
from tutelage.services.tabular.report.final import have_other_rounds
from tutelage.services.tabular.search.bounds import Bounds
from tutelage.services.tabular.search.laddered import Size
from tutelage.services.tabular.search.shares import (
    Paces,
    Work,
    closing_rows,
    fold_rows,
    more_rows,
    refit_rows,
    reserve_s,
)
from tutelage.services.tabular.search.timekeeper import Timekeeper


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def linear(second_a_row: float, fixed_s: float = 0.0) -> Pace:
    return Pace(power=1.0, fixed_s=fixed_s, slope_s=second_a_row)


WORK = Work(num_folds=5, fold_rows=800, final_rows=850, all_rows=1000)


def test_a_budget_counts_down_and_keeps_its_time_for_the_next_attempt(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "clock.json"
    first = Budget(limit_s=60, file=file, clock=clock)
    clock.now_s += 20
    assert (first.work_s, first.left_s) == (20, 40)
    first.note()
    clock.now_s += 1000  # killed, and paused for a while
    second = Budget(limit_s=60, file=file, clock=clock)
    assert second.left_s == 40
    clock.now_s += 45
    assert second.left_s == -5
    assert second.hard_left_s == LEAST_S
    with pytest.raises(TimeLimit, match=r"ended after 65.0 s of timeLimit 60 s") as caught:
        second.check_left("reading the data")
    assert "140" in caught.value.hint


def test_a_budget_notes_its_time_at_most_every_half_second(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "clock.json"
    budget = Budget(limit_s=60, file=file, clock=clock)
    for moment, noted in ((0.0, 0.0), (0.3, 0.0), (0.6, 0.6)):
        clock.now_s = 100.0 + moment
        budget.note()
        assert json.loads(file.read_text())["work_s"] == pytest.approx(noted)


def test_without_a_limit_everything_is_left(tmp_path: Path) -> None:
    budget = Budget(limit_s=None, file=tmp_path / "clock.json")
    budget.note()
    budget.check_left("anything")
    assert budget.left_s == budget.usable_s == budget.hard_left_s == math.inf
    assert not (tmp_path / "clock.json").exists()


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"work_s": "x"}'])
def test_a_damaged_clock_file_is_a_first_attempt(tmp_path: Path, damaged: str) -> None:
    file = tmp_path / "clock.json"
    file.write_text(damaged)
    assert Budget(limit_s=10, file=file, clock=Clock()).left_s == 10


@pytest.mark.parametrize("limit_s", [1, 5, 10, 60, 300, 3600, 100_000])
def test_most_of_a_limit_is_for_fits(limit_s: float) -> None:
    assert 0 < finish_s(limit_s) <= 0.3 * limit_s


@pytest.mark.parametrize(
    ("points", "power", "rows", "seconds"),
    [
        ([(1000, 2.0)], 1.0, 4000, 8.0),
        ([(1000, 2.0)], 2.0, 4000, 32.0),
        ([(1000, 2.0), (2000, 3.0)], 1.0, 4000, 5.0),
        ([(1000, 1.0), (2000, 4.0)], 2.0, 4000, 16.0),
        ([(500, 9.0), (1000, 2.0), (2000, 3.0)], 1.0, 3000, 4.0),
        ([(1000, 2.0), (2000, 1.0)], 1.0, 4000, 1.0),
        ([(1000, 1.0), (2000, 4.0)], 1.0, 4000, 8.0),
    ],
)
def test_a_pace_is_extrapolated_from_the_last_probes(
    points: list[tuple[int, float]], power: float, rows: int, seconds: float
) -> None:
    assert pace_of(points, power=power).seconds(rows) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("pace", "seconds", "rows"),
    [
        (linear(0.01), 5.0, 500),
        (linear(0.01), 100.0, 1000),
        (linear(0.01, fixed_s=1.0), 5.0, 400),
        (linear(0.01, fixed_s=6.0), 5.0, 0),
        (Pace(power=2.0, fixed_s=0.0, slope_s=1e-4), 4.0, 200),
        ([(linear(0.01), 1.0), (linear(0.01), 0.5)], 3.0, 200),
    ],
)
def test_the_most_rows_that_fit_are_found(pace: Any, seconds: float, rows: int) -> None:
    assert rows_within(pace, seconds, most=1000) == rows


@pytest.mark.parametrize(
    ("second_a_row", "usable_s", "expected"),
    [(0.0001, 60.0, 800), (0.01, 100.0, 800), (0.01, 40.0, 379), (0.1, 40.0, 37)],
)
def test_a_first_trial_gets_the_rows_its_share_has_room_for(
    second_a_row: float, usable_s: float, expected: int
) -> None:
    paces = Paces(fit=linear(second_a_row), keep=linear(second_a_row / 10))
    rows = fold_rows(paces, WORK, usable_s)
    assert rows == pytest.approx(expected, abs=8)
    trial_s = WORK.num_folds * paces.fit.seconds(rows)
    assert trial_s + reserve_s(paces, WORK, usable_s) <= usable_s


@pytest.mark.parametrize("usable_s", [0.0, 0.5, 3.0, 30.0, 300.0])
def test_closing_fits_never_ask_for_more_than_is_left(usable_s: float) -> None:
    paces = Paces(fit=linear(0.01, fixed_s=0.1), keep=linear(0.002))
    rows = closing_rows(paces, WORK, usable_s)
    assert sum(pace.seconds(share * rows) for pace, share in paces.closing(WORK)) <= usable_s or rows == 0
    last = refit_rows(paces, WORK, usable_s)
    assert paces.fit.seconds(last) + paces.keep.seconds(last) <= usable_s or last == 0
    assert rows <= last <= WORK.all_rows


@pytest.mark.parametrize(
    ("rows", "left_s", "expected"),
    [
        (400, 10.0, 750),
        (400, 4.0, None),
        (740, 10.0, None),
        (950, 1000.0, 1000),
        (1000, 1000.0, None),
        (400, 0.0, None),
    ],
)
def test_the_refit_is_repeated_where_time_is_left_for_more_rows(rows: int, left_s: float, expected: int | None) -> None:
    paces = Paces(fit=linear(0.01), keep=linear(0.002))
    assert more_rows(paces, rows, left_s, most=1000) == expected


@pytest.mark.parametrize(
    ("had", "kept", "expected"),
    [(100, 18, True), (100, 90, False), (100, 80, False), (100, 79, True), (2, 5, True), (None, 5, False)],
)
def test_predictions_of_other_rounds_tune_no_threshold(had: float | None, kept: int, expected: bool) -> None:
    assert have_other_rounds(had, kept) is expected


def test_plots_leave_the_evaluation_its_time() -> None:
    clock = Clock()
    budget = Budget(limit_s=60, clock=clock)
    clock.now_s += 20
    assert (budget.extras_deadline_s, budget.deadline_s) == (157, 160)
    assert Budget(limit_s=None).extras_deadline_s is None


def keeper(limit_s: float | None, clock: Clock, paces: Paces | None = None, fit_timeout_s: float = 600.0) -> Timekeeper:
    budget = Budget(limit_s=limit_s, clock=clock)
    return Timekeeper(budget, WORK, algorithm="ridge", paces=paces, fit_timeout_s=fit_timeout_s)


def test_without_a_limit_only_the_fit_s_own_timeout_counts() -> None:
    watch = keeper(None, Clock(), fit_timeout_s=7.0)
    limits = watch.fold_limits(watch.search_left_s(), folds_left=5, is_first=True)
    assert (limits.hard_s, limits.polite_s, limits.by_budget) == (7.0, None, False)
    assert watch.fold_rows() is None


def test_folds_of_the_first_trial_share_the_time_and_a_later_trial_may_take_the_rest() -> None:
    watch = keeper(100.0, Clock(), Paces(fit=linear(0.001), keep=linear(0.0001)))
    left_s = watch.search_left_s(watch.paces_of(None, []))
    first = watch.fold_limits(left_s, folds_left=5, is_first=True)
    assert first.polite_s == pytest.approx(left_s / 5)
    assert first.by_budget
    assert first.may_shrink
    later = watch.fold_limits(left_s, folds_left=5, is_first=False)
    assert later.polite_s == left_s
    assert not later.may_shrink


def test_a_slower_machine_leaves_less_to_the_search() -> None:
    watch = keeper(100.0, Clock(), Paces(fit=linear(0.005), keep=linear(0.001)))
    calm = watch.search_left_s(watch.paces_of(800, [4.0, 4.0]))
    busy = watch.search_left_s(watch.paces_of(800, [12.0, 12.0]))
    assert busy < calm < 100


def test_another_trial_starts_while_the_shortest_has_room() -> None:
    watch = keeper(100.0, Clock())
    assert watch.has_room(15.0, [12.0, 16.0])
    assert watch.has_room(13.0, [12.0, 16.0])
    assert not watch.has_room(11.0, [12.0, 16.0])
    assert not watch.has_room(0.0, [])


def test_a_deadline_is_near_when_the_next_round_would_end_after_it() -> None:
    clock = Clock()
    deadline = Deadline(110.0, clock=clock)
    ends = []
    for _ in range(5):
        clock.now_s += 3.0
        ends.append(deadline.is_near())
    assert ends == [False, False, True, True, True]
    assert not Deadline().is_near()


def test_a_wish_to_end_is_a_deadline_too_and_told_from_it() -> None:
    wished = iter([False, True])
    deadline = Deadline(is_asked=lambda: next(wished))
    assert [deadline.is_near(), deadline.is_near()] == [False, True]
    assert (deadline.was_asked, deadline.has_come) == (True, False)


@pytest.mark.parametrize(
    ("rung", "num_rows", "has_rounds", "expected"),
    [
        (TOP, 10_000, True, Rung(rows=0.5)),
        (Rung(rows=0.5), 10_000, True, Rung(rows=0.25)),
        (Rung(rows=0.125), 10_000, True, Rung(rows=0.125, rounds=0.5)),
        (Rung(rows=0.125, rounds=0.5), 10_000, True, Rung(rows=0.125, rounds=0.25)),
        (Rung(rows=0.125, rounds=0.25), 10_000, True, None),
        (Rung(rows=0.125), 10_000, False, None),
        (TOP, 300, False, None),
        (TOP, 300, True, Rung(rounds=0.5)),
    ],
)
def test_the_ladder_halves_rows_then_rounds(rung: Rung, num_rows: int, has_rounds: bool, expected: Rung | None) -> None:
    assert rung.next(num_rows=num_rows, has_rounds=has_rounds) == expected


@pytest.mark.parametrize("task", [CLASSIFICATION, REGRESSION])
@pytest.mark.parametrize("algorithm", list(ALGORITHMS))
def test_every_algorithm_gives_way_to_a_lighter_one_until_the_lightest(algorithm: str, task: str) -> None:
    seen = [algorithm]
    while (lighter := lighter_than(seen[-1], task)) is not None:
        assert task in ALGORITHMS[lighter].tasks
        assert lighter not in seen
        seen.append(lighter)
    assert seen[-1] == ("naive_bayes" if task == CLASSIFICATION else "ridge")


def test_a_step_is_recorded_once_and_kept_for_the_next_attempt(home: Path) -> None:
    run = make_run(home)
    Ladder(run).record("rows", 1000, 500, at="trial 0, fold 0", reason="2.1 GiB of 2.0")
    again = Ladder(run)
    again.record("rows", 1000, 500, at="trial 0, fold 0", reason="another figure")
    again.record_rung(TOP, Rung(rows=0.5, rounds=0.5), num_rows=800, rounds=100, at="final", reason="memory")
    steps = [(step["step"], step["at"], step["from"], step["to"]) for step in again.steps]
    assert steps == [("rows", "trial 0, fold 0", 1000, 500), ("rows", "final", 800, 400), ("rounds", "final", 100, 50)]


def test_a_size_is_the_smaller_of_cap_and_rows_times_its_rung() -> None:
    assert Size().rows(1000) == 1000
    assert Size(cap=400).rows(1000) == 400
    assert Size(cap=400, rung=Rung(rows=0.5)).rows(1000) == 200
    assert Size(cap=4000, rung=Rung(rows=0.5)).rows(1000) == 500


def test_a_subsample_keeps_the_classes_the_order_and_the_rows() -> None:
    rows = np.arange(0, 2000, 2)
    labels = np.where(np.arange(1000) % 10 == 0, "rare", "often")
    kept = subsample(rows, 200, seed=1, labels=labels)
    assert len(kept) == 200
    assert list(kept) == sorted(set(kept) & set(rows))
    assert (labels[np.searchsorted(rows, kept)] == "rare").sum() == 20
    assert (subsample(rows, 200, seed=1, labels=labels) == kept).all()
    assert (subsample(rows, 5000, seed=1) == rows).all()
    assert (subsample(rows, 10, seed=1, newest=True) == rows[-10:]).all()


def test_a_subsample_keeps_some_rows_of_every_class() -> None:
    labels = np.array(["a"] * 990 + ["b"] * 10)
    kept = subsample(np.arange(1000), 50, seed=3, labels=labels)
    assert (labels[kept] == "b").sum() == 5


SHAPE = Shape(task=CLASSIFICATION, num_classes=2, num_numeric=6, category_counts=(3, 90))


def test_encoded_columns_are_those_of_the_encoding() -> None:
    assert SHAPE.columns("native") == SHAPE.columns("ordinal") == 8
    assert SHAPE.columns("one_hot") == 12 + 3 + 50


@pytest.mark.parametrize("algorithm", list(ALGORITHMS))
def test_an_estimate_grows_with_rows_and_columns(algorithm: str) -> None:
    wider = Shape(task=CLASSIFICATION, num_classes=2, num_numeric=600, category_counts=(3, 90))
    few, many = (estimate_bytes(SHAPE, algorithm, rows=rows, trees=100) for rows in (1_000, 100_000))
    assert few < many < estimate_bytes(wider, algorithm, rows=100_000, trees=100)


def test_the_rung_is_the_first_that_is_expected_to_fit() -> None:
    need = Need(shape=SHAPE, algorithm="random_forest", rows=100_000, held_rows=0, trees=100, least_in_leaf=1)
    assert need.rung_within(need.at(TOP), has_rounds=True) == TOP
    assert need.rung_within(need.at(TOP) - 1, has_rounds=True) == Rung(rows=0.5)
    assert need.rung_within(need.at(Rung(rows=0.125)) - 1, has_rounds=True) == Rung(rows=0.125, rounds=0.5)
    assert need.rung_within(-1.0, has_rounds=True) == Rung(rows=0.125, rounds=0.25)
    assert need.rung_within(-1.0, has_rounds=False) == Rung(rows=0.125)


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"timeLimit": 60}, "timeLimit"),
        ({"hyperparameterSearch": {"timeout": 60}}, "hyperparameterSearch.timeout"),
        ({"options": {"fitTimeout": 60}}, "options.fitTimeout"),
    ],
)
def test_a_deterministic_job_refuses_seconds(more: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidSpec, match=key) as caught:
        config(job(Path("/data/t.csv"), deterministic=True, **more))
    assert "nTrials" in caught.value.hint
    assert config(job(Path("/data/t.csv"), deterministic=True)).fit_timeout_s == math.inf


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, 30),
        ({"timeLimit": 60}, TIME_BOUND_TRIALS),
        ({"timeLimit": 60, "hyperparameterSearch": {"sampler": "random"}}, TIME_BOUND_TRIALS),
        ({"timeLimit": 60, "hyperparameterSearch": {"nTrials": 7}}, 7),
    ],
)
def test_time_bounds_the_trials_where_it_is_the_only_bound_given(more: dict[str, Any], expected: int) -> None:
    assert num_trials(config(job(Path("/data/t.csv"), **more))) == expected


def test_tuned_bounds_hold_from_their_trial_on() -> None:
    taken: list[list[Any]] = []
    bounds = Bounds(REGISTRY["lightgbm"], taken)
    assert bounds.take({"space.learning_rate.high": 0.1, "space.num_leaves.low": 8}, first=3, sampler="tpe") is None
    assert bounds.take({"space.learning_rate.low": 0.05}, first=5, sampler="tpe") is None
    for restored in (bounds, Bounds(REGISTRY["lightgbm"], json.loads(json.dumps(taken)))):
        ranges = [restored.entry_for(number).space["learning_rate"] for number in (2, 3, 5)]
        assert [(item.low, item.high) for item in ranges] == [(0.01, 0.3), (0.01, 0.1), (0.05, 0.1)]  # type: ignore[union-attr]
        assert restored.entry_for(3).space["num_leaves"].low == 8  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("algorithm", "values", "sampler", "says"),
    [
        ("lightgbm", {"space.learning_rat.high": 0.1}, "tpe", "Did you mean 'learning_rate'"),
        ("lightgbm", {"space.learning_rate.high": 0.001}, "tpe", "cannot be searched from 0.01 to 0.001"),
        ("lightgbm", {"space.learning_rate.low": 0}, "tpe", "above 0 with log"),
        ("lightgbm", {"space.num_leaves.high": 8.5}, "tpe", "whole number"),
        ("lightgbm", {"space.learning_rate.log": 1}, "tpe", "is no bound"),
        ("svm", {"space.gamma.low": 0.1}, "tpe", "gamma has no bounds"),
        ("lightgbm", {"space.learning_rate.high": 0.1}, "cmaes", "tunable with tpe, random"),
    ],
)
def test_wrong_bounds_are_refused_with_the_reason(
    algorithm: str, values: dict[str, Any], sampler: str, says: str
) -> None:
    taken: list[list[Any]] = []
    refusal = Bounds(REGISTRY[algorithm], taken).take(values, first=1, sampler=sampler)
    assert refusal is not None
    assert says in refusal
    assert not taken


def test_a_wildcard_tunable_is_checked_by_its_bounds() -> None:
    check_tune(SERVICE, {"space.learning_rate.high": 0.1, "n_trials": 5})
    for name in ("space.high", "space..high", "space.a.b.high", "spice.learning_rate.high"):
        with pytest.raises(UnknownName, match="tunable"):
            check_tune(SERVICE, {name: 0.1})
    with pytest.raises(InvalidSpec, match=r"space.learning_rate.high must be a number"):
        check_tune(SERVICE, {"space.learning_rate.high": "x"})
