"""A curve in one line of text, over the whole budget: what is empty at the right remains to be trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BLOCKS = "▁▂▃▄▅▆▇█"
BROKEN = "!"
EMPTY = " "

Points = Sequence[tuple[int, float]]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One column: its sign, and the first step that fell into it."""

    sign: str
    step: int | None


def cells(points: Points, *, width: int, last_step: float | None = None) -> list[Cell]:
    """Draw (step, value) points into `width` columns that reach to `last_step`, the budget's end.

    A column shows the newest of its values; one without points shows the one before, so that a line has no holes.
    """
    if not points or width < 1:
        return []
    first, end = points[0][0], max(last_step or 0, points[-1][0])
    span = max(1, end - first)
    columns: list[list[tuple[int, float]]] = [[] for _ in range(width)]
    for step, value in points:
        columns[min(width - 1, int((step - first) / span * width))].append((step, value))
    finite = [value for _, value in points if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    reached = max(index for index, column in enumerate(columns) if column)
    drawn: list[Cell] = []
    for index, column in enumerate(columns):
        if index > reached:
            drawn.append(Cell(sign=EMPTY, step=None))
        elif not column:
            drawn.append(drawn[-1])
        else:
            drawn.append(Cell(sign=_sign([value for _, value in column], low, high), step=column[0][0]))
    return drawn


def sparkline(points: Points, *, width: int, last_step: float | None = None) -> str:
    """Return the curve as text."""
    return "".join(cell.sign for cell in cells(points, width=width, last_step=last_step))


def _sign(values: list[float], low: float, high: float) -> str:
    if not all(math.isfinite(value) for value in values):
        return BROKEN
    if high / 2 == low / 2:
        return BLOCKS[len(BLOCKS) // 2]
    share = (values[-1] / 2 - low / 2) / (high / 2 - low / 2)  # halves, because a diverging curve's span overflows
    return BLOCKS[round(share * (len(BLOCKS) - 1))]
