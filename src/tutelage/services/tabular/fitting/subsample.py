"""Fewer training rows: by class where there are classes, the newest where time orders them, else at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutelage.services.tabular.fitting.messages import Rows

LEAST_OF_A_CLASS = 5
"""Rows of each class that are kept where it has them: learners divide the classes again."""


def subsample(rows: Rows, count: int, *, seed: int, labels: Any = None, newest: bool = False) -> Rows:
    """Return about `count` of the rows in their own order; `labels` are the classes of exactly these rows."""
    if count >= len(rows):
        return rows
    if newest:
        return rows[-count:]
    dice = np.random.default_rng(seed)
    if labels is None:
        return rows[np.sort(dice.permutation(len(rows))[:count])]
    kept: list[Any] = []
    for name in np.unique(labels):
        places = np.flatnonzero(labels == name)
        wanted = min(len(places), max(LEAST_OF_A_CLASS, round(count * len(places) / len(rows))))
        kept.append(dice.permutation(places)[:wanted])
    chosen: Rows = rows[np.sort(np.concatenate(kept))]
    return chosen
