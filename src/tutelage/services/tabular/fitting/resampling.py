"""Balances the classes of one fit's encoded training rows: repeats, leaves out, or makes rows between neighbours.

Only training rows come in here, so that no row can be built from one that is scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder

from tutelage.services.tabular.data.types import BOOLEAN, ColumnReader
from tutelage.services.tabular.errors import TooFewRows
from tutelage.services.tabular.fitting.messages import Resample

CHUNK_ROWS = 500
"""Rows whose distances are held at once."""


def resample(matrix: Any, target: Any, asked: Resample, *, blocks: Sequence[Sequence[int]], seed: int) -> Any:
    """Return (matrix, target) balanced, given rows first and in order; `blocks` are the columns of each category."""
    dice = np.random.default_rng(seed)
    names, counts = np.unique(target, return_counts=True)
    if asked.kind == "undersample":
        most = int(np.ceil(counts.min() / asked.ratio))
        kept = [_some(np.flatnonzero(target == name), most, dice) for name in names]
        rows = np.sort(np.concatenate(kept))
        return matrix[rows], target[rows]
    wanted = np.maximum(np.floor(counts.max() * asked.ratio).astype(int) - counts, 0)
    made, labels = [matrix], [target]
    for name, count in zip(names, wanted, strict=True):
        own = matrix[target == name]
        if count and asked.kind == "smote":
            made.append(smote(own, int(count), asked.neighbours, blocks=blocks, dice=dice, name=name))
        elif count:
            made.append(own[dice.integers(len(own), size=count)])
        labels.append(np.full(int(count), name, dtype=target.dtype))
    return np.concatenate(made), np.concatenate(labels)


def _some(rows: Any, most: int, dice: Any) -> Any:
    return rows if len(rows) <= most else dice.choice(rows, most, replace=False)


def smote(rows: Any, count: int, neighbours: int, *, blocks: Sequence[Sequence[int]], dice: Any, name: Any) -> Any:
    """Return new rows of a class between its rows and their neighbours (Chawla et al. 2002; categories: SMOTE-NC).

    Numbers lie on the line to one of the nearest neighbours; where one of the two is missing, the row's own is
    kept. A category is the one that most neighbours have, the row's own among equals. Raises TooFewRows for a single
    row, which has no neighbour.
    """
    if len(rows) < 2:
        raise TooFewRows(
            f"smote needs at least 2 rows of each class in every training part; class {str(name)!r} has {len(rows)}",
            hint="use resampling oversample, or fewer folds",
        )
    codes = np.column_stack([_codes(rows[:, list(block)]) for block in blocks]) if blocks else None
    numbers = np.setdiff1d(np.arange(rows.shape[1]), [column for block in blocks for column in block])
    near = nearest_rows(rows[:, numbers], codes, min(neighbours, len(rows) - 1))
    base = dice.integers(len(rows), size=count)
    other = near[base, dice.integers(near.shape[1], size=count)]
    made = rows[base].copy()
    step = dice.random((count, 1)) * (rows[other][:, numbers] - rows[base][:, numbers])
    made[:, numbers] += np.where(np.isnan(step), 0.0, step)
    for index, block in enumerate(blocks):
        assert codes is not None, "blocks have codes"
        made[:, list(block)] = rows[_donors(codes[:, index], base, near)][:, list(block)]
    return made


def _codes(cells: Any) -> Any:
    """Return a number for each different row of a category's columns."""
    return np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)


def nearest_rows(numbers: Any, codes: Any, count: int) -> Any:
    """Return the `count` nearest other rows of each row, nearest first.

    Numbers are in standard deviations (missing: the median); a different category counts as one of them.
    """
    spread = np.nanstd(numbers, axis=0) if numbers.size else np.ones(0)
    scaled = np.where(np.isnan(numbers), _medians(numbers), numbers) / np.where(spread > 0, spread, 1.0)
    found = []
    for start in range(0, len(numbers), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        apart = cdist(scaled[part], scaled, "sqeuclidean") if scaled.shape[1] else np.zeros((1, 1))
        if codes is not None:
            apart = apart + cdist(codes[part], codes, "hamming") * codes.shape[1]
        apart[np.arange(len(apart)), np.arange(start, start + len(apart))] = np.inf
        found.append(np.argsort(apart, axis=1, kind="stable")[:, :count])
    return np.concatenate(found)


def _medians(numbers: Any) -> Any:
    """Return each column's median, 0 where no row has a value."""
    known = ~np.isnan(numbers)
    columns = zip(numbers.T, known.T, strict=True)
    return np.array([np.median(column[mask]) if mask.any() else 0.0 for column, mask in columns])


def _donors(codes: Any, base: Any, near: Any) -> Any:
    """Return, for each new row, the row whose category it takes: one with the neighbours' most frequent."""
    votes = codes[near]
    counts = (votes[:, :, None] == votes[:, None, :]).sum(axis=2)
    ties = (votes == codes[:, None]) & (counts == counts.max(axis=1, keepdims=True))
    donors = near[np.arange(len(near)), counts.argmax(axis=1)]
    own = ties.any(axis=1)
    donors = np.where(own, np.arange(len(near)), donors)
    return donors[base]


def category_blocks(fitted: ColumnTransformer, reader: ColumnReader) -> list[list[int]]:
    """Return the encoded columns that hold categories or yes and no, those of one category together."""
    blocks: list[list[int]] = []
    flags = {column.name for column in reader.columns if column.kind == BOOLEAN}
    for name, part, columns in fitted.transformers_:
        where = fitted.output_indices_[name]
        places = list(range(where.start, where.stop))
        if name == "numbers":
            blocks += [[place] for place, column in zip(places, columns, strict=True) if column in flags]
        elif name == "categories" and isinstance(part, OneHotEncoder):
            owners = [str(column) for column in part.get_feature_names_out()]
            blocks += [[p for p, own in zip(places, owners, strict=True) if own == column] for column in columns]
        elif name in ("absent", "categories"):
            blocks += [[place] for place in places]
    return blocks
