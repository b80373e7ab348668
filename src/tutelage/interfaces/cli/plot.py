"""Curves as a small picture of braille dots: two columns and four rows of dots a character."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
BLANK = 0x2800
LABEL_WIDTH = 10

Points = Sequence[tuple[int, float]]


def plot(curves: Sequence[Points], *, width: int, height: int, marked: int | None = None) -> list[str]:
    """Return the lines of a picture, the values' range at the left, the steps below; `marked` is a step to point at.

    Non-finite values are left out. Steep beginnings are cut: the range is that of the middle 95 %.
    """
    finite = [[(step, value) for step, value in points if math.isfinite(value)] for points in curves]
    values = sorted(value for points in finite for _, value in points)
    steps = [step for points in finite for step, _ in points]
    if not values:
        return []
    low, high = values[int(0.025 * len(values))], values[int(0.975 * (len(values) - 1))]
    first, last = min(steps), max(steps)
    cells = [[0] * width for _ in range(height)]
    for points in finite:
        places = [
            (_place(step, first, last, 2 * width), 4 * height - 1 - _place(value, low, high, 4 * height))
            for step, value in points
        ]
        for x, y in _joined(places):
            cells[y // 4][x // 2] |= DOTS[y % 4][x % 2]
    rows = ["".join(chr(BLANK + cell) for cell in row) for row in cells]
    labels = [f"{high:.4g}", *[""] * (height - 2), f"{low:.4g}"] if height > 1 else [f"{high:.4g}"]
    lines = [f"{label:>{LABEL_WIDTH}} {row}" for label, row in zip(labels, rows, strict=True)]
    return [*lines, _axis(first, last, width, marked)]


def _joined(places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the places, and a dot for each column between two that are apart, on the line from one to the other."""
    yield from places
    for (left, start), (right, end) in pairwise(places):
        for x in range(left + 1, right):
            yield x, round(start + (end - start) * (x - left) / (right - left))


def _axis(first: int, last: int, width: int, marked: int | None) -> str:
    line = [*f"{first:<{width}}"]
    end = str(last)
    line[width - len(end) :] = end
    if marked is not None and first < marked < last:
        text, at = f"^{marked}", _place(marked, first, last, width)
        if len(str(first)) < at and at + len(text) < width - len(end):
            line[at : at + len(text)] = text
    return " " * (LABEL_WIDTH + 1) + "".join(line)


def _place(value: float, low: float, high: float, size: int) -> int:
    """Return which of `size` places between low and high a value falls into; what lies beyond is held at the edge."""
    half = high / 2 - low / 2  # halves, because the span of a diverging curve overflows
    share = (value / 2 - low / 2) / half if half > 0 else 0.5
    return min(size - 1, max(0, int(share * size)))
