"""Dates as text: the order of day and month is read off the whole column, never cell by cell."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pandas as pd

DATE_SHAPE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
DATE_PARTS = ("days", "month", "weekday", "hour")
DAY_FIRST = "day first"
SHARE = 0.95
_FRONT = r"^\s*(\d{1,2})[-/.](\d{1,2})[-/.]\d{2,4}"


def sniff_dates(cells: Any) -> str | None:
    """Return how a column of text writes dates ("" or DAY_FIRST), or None where it holds none."""
    if cells.head(200).str.slice(0, 40).str.contains(DATE_SHAPE).mean() < SHARE:
        return None
    front = cells.head(2000).str.slice(0, 40).str.extract(_FRONT).dropna().astype(int)
    style = DAY_FIRST if len(front) and (front[0] > 12).any() and not (front[1] > 12).any() else ""
    return style if read_dates(cells, style).notna().mean() > 0.9 else None


def read_dates(cells: Any, style: str = "") -> Any:
    """Return cells as times in UTC, what is no date as missing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Parsing dates in", category=UserWarning)  # the style says which
        return pd.to_datetime(cells, errors="coerce", format="mixed", utc=True, dayfirst=style == DAY_FIRST)


def date_parts(dates: Any) -> list[Any]:
    """Return days since 1970 (with the time of day as a fraction), month, weekday (0 = Monday) and hour."""
    days = (dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    parts = (days, dates.dt.month, dates.dt.day_of_week, dates.dt.hour)
    return [part.astype("float64").fillna(float("nan")) for part in parts]
