"""Numbers as people write them: thousands, currency, percent, units; and numbers that stand for a missing value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

NUMERIC_SHARE = 0.95
"""Share of a column's cells that must be numbers for the column to be numeric."""

PLAIN, THOUSANDS, COMMA, CURRENCY, PERCENT, UNIT = "", "thousands", "decimal comma", "currency", "percent", "unit"
SAMPLE, MAX_CHARS = 2_000, 40
"""Cells that a style is looked for in, and the characters of each: no number is longer."""

SIGNS = "$€£¥₹₽₩₺¢"
_MONEY = rf"(?:[{SIGNS}]|(?:USD|EUR|GBP|CHF|JPY))"
_CURRENCY = re.compile(rf"^([-+(]?)\s*{_MONEY}\s*|\s*{_MONEY}(\)?)$")
_UNIT = re.compile(r"^\s*(?P<number>[-+]?[\d.,]*\d(?:[eE][-+]?\d+)?)\s*(?P<unit>[A-Za-zµ°²³/]{1,12}\.?)\s*$")
_THOUSANDS = r"^\s*\(?[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\)?\s*$"
_THOUSANDS_BLANK = r"^\s*[-+]?\d{1,3}(?:[ \u00a0\u202f']\d{3})+(?:\.\d+)?\s*$"
_DECIMAL_COMMA = r"^\s*[-+]?\d{1,3}(?:(?:\.\d{3})+|\d*),\d+\s*$"


def plain_numbers(cells: Any) -> Any:
    """Return cells of text as numbers, what is none as missing."""
    return pd.to_numeric(cells, errors="coerce").astype("float64")


def sniff_numbers(cells: Any) -> tuple[str, str] | None:
    """Return how a column of text writes numbers and why that is believed, or None where it holds none.

    `cells` are those that have a value. A style is believed where it makes numbers of 95 % of the cells, and plain
    reading does not.
    """
    sample = cells.iloc[:SAMPLE].str.slice(0, MAX_CHARS)
    if plain_numbers(sample).notna().mean() >= NUMERIC_SHARE:
        return PLAIN, "numbers stored as text"
    if sample.str.contains(r"\d", regex=True).mean() < NUMERIC_SHARE:
        return None
    for style, believed in _BELIEVED.items():
        if not believed(sample):
            continue
        numbers = read_numbers(sample, style)
        if numbers.notna().mean() >= NUMERIC_SHARE:
            return style, f"numbers stored as text ({style.partition(':')[0]}), such as {str(sample.iloc[0])[:20]!r}"
    unit = _common_unit(sample)
    return (f"{UNIT}:{unit}", f"numbers stored as text, in {unit!r}") if unit else None


def read_numbers(cells: Any, style: str) -> Any:
    """Return cells of text as numbers by the style of the training's column; of 12 % the number is 12."""
    if style == PLAIN:
        return plain_numbers(cells)
    return plain_numbers(cells.astype(object).map(lambda cell: _bare(cell, style), na_action="ignore"))


def _bare(cell: Any, style: str) -> str:
    """Return what is left for a plain reading."""
    text = str(cell).strip()
    if style == PERCENT:
        text = text.removesuffix("%").rstrip()
    elif style == CURRENCY:
        text = _CURRENCY.sub(lambda found: (found[1] or "") + (found[2] or ""), text, count=1).strip()
    elif style.startswith(UNIT):
        text = text.removesuffix(style.partition(":")[2]).rstrip()
    if style == COMMA:
        return text.replace(".", "").replace(",", ".")
    if text.startswith("(") and text.endswith(")"):  # a bookkeeper's minus
        text = f"-{text[1:-1]}"
    return re.sub(r"(?<=\d)[, \u00a0\u202f'](?=\d{3}(?!\d))", "", text)


def _share(pattern: str) -> Callable[[Any], bool]:
    return lambda sample: bool(sample.str.contains(pattern, regex=True).any())


_BELIEVED: dict[str, Callable[[Any], bool]] = {
    PERCENT: lambda sample: bool(sample.str.endswith("%").mean() >= NUMERIC_SHARE),
    CURRENCY: lambda sample: bool(sample.map(lambda cell: bool(_CURRENCY.search(cell))).mean() >= 0.5),
    THOUSANDS: lambda sample: _share(_THOUSANDS)(sample) or _share(_THOUSANDS_BLANK)(sample),
    COMMA: _share(_DECIMAL_COMMA),
}


def _common_unit(sample: Any) -> str | None:
    """Return the one unit that follows the numbers of a column, or None."""
    found = [_UNIT.match(cell) for cell in sample]
    units = {match["unit"] for match in found if match}
    share = sum(match is not None for match in found) / max(1, len(found))
    return units.pop() if share >= NUMERIC_SHARE and len(units) == 1 else None


SENTINELS = tuple(sign * int("9" * digits) for digits in range(2, 8) for sign in (-1, 1) if (sign, digits) != (1, 2))
MIN_REPEATS, MIN_OTHERS = 3, 5
FAR = 2.0
"""A sentinel lies further from the other values than this many times their whole range."""


def find_sentinels(numbers: Any) -> tuple[float, ...]:
    """Return numbers such as -999 or 9999 that are repeated and far from all others: they stand for a missing value."""
    values = np.asarray(numbers, dtype="float64")
    values = values[np.isfinite(values)]
    candidates = [float(value) for value in SENTINELS if np.count_nonzero(values == value) >= MIN_REPEATS]
    others = values[~np.isin(values, candidates)]
    if not candidates or len(np.unique(others[:SAMPLE])) < MIN_OTHERS:
        return ()
    low, high = others.min(), others.max()
    return tuple(value for value in candidates if max(low - value, value - high) > FAR * (high - low))
