"""A curve in one line of text."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from tutelage.interfaces.cli.sparkline import BLOCKS, BROKEN, cells, sparkline

STEPS = st.lists(st.tuples(st.integers(0, 10_000), st.floats()), max_size=60, unique_by=lambda point: point[0])


def test_a_falling_line_falls() -> None:
    assert sparkline([(step, 8 - step) for step in range(8)], width=8) == BLOCKS[::-1]


def test_what_is_left_of_the_budget_is_empty() -> None:
    assert sparkline([(0, 0), (5, 1)], width=10, last_step=10) == "▁▁▁▁▁█    "


def test_a_level_line_is_in_the_middle() -> None:
    assert set(sparkline([(0, 3), (1, 3)], width=4)) == {BLOCKS[4]}


def test_what_is_not_finite_is_marked() -> None:
    assert BROKEN in sparkline([(0, 1), (1, math.nan), (2, 2)], width=3)
    assert sparkline([(0, math.inf)], width=1) == BROKEN


def test_nothing_draws_nothing() -> None:
    assert sparkline([], width=8) == ""
    assert sparkline([(0, 1)], width=0) == ""


@given(STEPS, st.integers(1, 40))
def test_any_curve_fills_its_width(points: list[tuple[int, float]], width: int) -> None:
    ordered = sorted(points)
    drawn = cells(ordered, width=width)
    assert len(drawn) == (width if ordered else 0)
    steps = [cell.step for cell in drawn if cell.step is not None]
    assert steps == sorted(steps)
