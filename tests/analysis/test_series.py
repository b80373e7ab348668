"""What a curve says by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.curves import Points, falling, flat

from tutelage.analysis.forecast import time_to_target
from tutelage.analysis.series import best, in_force, noise


@given(
    values=st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=80),
    scale=st.floats(1e-3, 1e3),
    shift=st.floats(-1e3, 1e3),
)
def test_noise_scales_and_ignores_level_and_slope(values: list[float], scale: float, shift: float) -> None:
    curve = list(enumerate(values))
    moved = [(step, value * scale + shift + 0.5 * step) for step, value in curve]
    assert noise(moved) == pytest.approx(noise(curve) * scale, rel=1e-6, abs=1e-6 * (1 + abs(shift) + scale))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_the_best_step_lies_in_its_own_set(values: list[float]) -> None:
    found = best(list(enumerate(values)))
    assert found is not None
    assert found.value == min(values)
    assert found.first_step <= found.step <= found.last_step


def test_steps_that_noise_cannot_tell_apart_are_in_the_set_of_the_best() -> None:
    found = best(flat(60, noise=0.1, seed=4))
    assert found is not None
    assert found.last_step - found.first_step >= 4
    sharp = best([(step, abs(step - 20.0)) for step in range(1, 41)])
    assert sharp is not None
    assert (sharp.first_step, sharp.last_step) == (20, 20)


def test_noise_is_measured_right() -> None:
    assert noise(flat(50, noise=0.1, seed=3)) == pytest.approx(0.1, rel=0.35)
    assert noise(falling(50)) < 5e-3


@pytest.mark.parametrize(
    ("why", "told", "held"),
    [
        ("in order", [(1, 1.0), (2, 2.0)], [(1, 1.0), (2, 2.0)]),
        ("a repeat takes the place of the first", [(1, 1.0), (2, 2.0), (2, 3.0)], [(1, 1.0), (2, 3.0)]),
        ("a late point is sorted in", [(1, 1.0), (3, 3.0), (2, 2.0)], [(1, 1.0), (2, 2.0), (3, 3.0)]),
        (
            "a resumed log drops what the earlier attempt told beyond",
            [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0), (2, 2.5), (3, 3.5)],
            [(1, 1.0), (2, 2.5), (3, 3.5)],
        ),
        ("a late correction drops nothing", [(1, 1.0), (2, 2.0), (3, 3.0), (1, 1.5)], [(1, 1.5), (2, 2.0), (3, 3.0)]),
    ],
)
def test_which_points_are_in_force(why: str, told: Points, held: Points) -> None:
    assert in_force(told) == held, why


def test_the_time_to_a_target_is_forecast_with_an_interval_that_holds_the_truth() -> None:
    def shape(step: float) -> float:
        return 1.0 + 4.0 * step**-0.5

    arrival = time_to_target([(step, shape(step)) for step in range(1, 201)], shape(600))
    assert arrival is not None
    assert arrival.step == pytest.approx(600, rel=0.05)
    assert arrival.low is not None
    assert arrival.low <= arrival.step
    assert arrival.high is None or arrival.step <= arrival.high


def test_a_target_below_the_floor_is_never_reached() -> None:
    arrival = time_to_target([(step, 1.0 + 4.0 * step**-1.0) for step in range(1, 201)], 0.5)
    assert arrival is None or arrival.step is None


def test_a_rising_or_short_curve_has_no_forecast() -> None:
    assert time_to_target([(step, float(step)) for step in range(1, 40)], 0.0) is None
    assert time_to_target([(1, 2.0), (2, 1.0)], 0.5) is None
