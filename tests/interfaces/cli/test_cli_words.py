"""Numbers, durations, ages and sizes as a person reads them."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.interfaces.cli import words
from tutelage.interfaces.cli.words import MINUS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.23349, "2.233"),
        (0.101, "0.101"),
        (1180, "1,180"),
        (12345.6, "12,346"),
        (0, "0"),
        (-0.5, f"{MINUS}0.5"),
        (6.8e-5, f"6.8e{MINUS}5"),
        (2.82e11, "2.8e11"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, f"{MINUS}inf"),
        (None, ""),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert words.number(value) == text


@given(st.floats())
def test_every_number_has_a_short_text(value: float) -> None:
    assert 0 < len(words.number(value)) <= 20


@pytest.mark.parametrize(("value", "text"), [(0.004109, "0.0041"), (15.4, "15"), (1.23, "1.2"), (0.0, "0")])
def test_deviations_have_two_digits(value: float, text: str) -> None:
    assert words.spread(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.43, "0.4 s"),
        (4, "4 s"),
        (40, "40 s"),
        (370, "6 min 10 s"),
        (6600, "1 h 50 min"),
        (3600, "1 h"),
        (97200, "1 d 3 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0 s"), (12, "12 s"), (2820, "47 min"), (10_900, "3 h"), (180_000, "2 d")]
)
def test_ages_have_one_unit(seconds: float, text: str) -> None:
    assert words.age(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s left"), (90, "90 s left"), (1451, "24 min left"), (6630, "1 h 50 min left")]
)
def test_estimates_have_no_seconds_above_two_minutes(seconds: float, text: str) -> None:
    assert words.left(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (819, "819 B"), (1434, "1.4 KiB"), (9.1 * 2**30, "9.1 GiB")])
def test_sizes(count: float, text: str) -> None:
    assert words.size(count) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 2_592_000), ("12h", 43_200), ("45min", 2700), ("1.5m", 90), ("9s", 9)]
)
def test_time_spans_are_read(text: str, seconds: float) -> None:
    assert words.seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["30", "d", "", "3 weeks", "-1d"])
def test_other_time_spans_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"30d|could not convert"):
        words.seconds_of(text)


def test_the_age_of_a_timestamp() -> None:
    now = dt.datetime(2026, 1, 31, 12, 0, 30, tzinfo=dt.UTC)
    assert words.since("2026-01-31T12:00:00.000Z", now) == 30
    assert words.since(None) == 0
