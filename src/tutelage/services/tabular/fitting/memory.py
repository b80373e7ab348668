"""What a fit will take of the memory: rows x encoded columns x 8 bytes x a factor, measured for each algorithm.

The factors are peaks of fits on 2,000 to 30,000 rows of real tables (one thread), rounded up. A forest's nodes, the
scores of many classes and an SVM's kernel cache do not follow the columns and are added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.services.tabular.catalog import CLASSIFICATION
from tutelage.services.tabular.fitting.ladder import TOP, Rung
from tutelage.services.tabular.models.algorithms import REGISTRY, Encoding
from tutelage.services.tabular.models.pipeline import MAX_CATEGORIES

CELL_BYTES = 8
FIXED_BYTES = 30 * 2**20
FACTORS = {
    "lightgbm": 6.0,
    "xgboost": 8.0,
    "hist_gradient_boosting": 7.0,
    "gradient_boosting": 6.0,
    "random_forest": 4.0,
    "extra_trees": 4.0,
    "svm": 8.0,
    "neural_network": 6.0,
    "embedding_network": 6.0,
}
OTHER_FACTOR = 4.0
"""Of linear models, k-NN, naive Bayes; CatBoost is taken for one of them."""

FORESTS = {"random_forest": 0.7, "extra_trees": 1.0}
"""Nodes of a tree for each of its rows: a bootstrap holds 63 % of them, and leaves are shared."""

NODE_BYTES, CLASS_SCORE_BYTES = 72, 80
KERNEL_CACHE_BYTES = 500 * 2**20


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What an estimate needs to know of the loaded rows."""

    task: str
    num_classes: int
    num_numeric: int
    category_counts: tuple[int, ...]

    def columns(self, encoding: Encoding) -> int:
        """Return the number of encoded columns: a column a category, and one that tells each number's absence."""
        if encoding != "one_hot":
            return self.num_numeric + len(self.category_counts)
        return 2 * self.num_numeric + sum(min(count, MAX_CATEGORIES) for count in self.category_counts)


def shape_of(data: Any) -> Shape:
    """Return the shape of loaded rows (a messages.Load)."""
    counts = tuple(int(data.frame[name].nunique()) for name in data.reader.categorical)
    num_classes = len(np.unique(data.target)) if data.task == CLASSIFICATION else 0
    return Shape(task=data.task, num_classes=num_classes, num_numeric=len(data.reader.numeric), category_counts=counts)


def estimate_bytes(
    shape: Shape, algorithm: str, *, rows: int, held_rows: int = 0, trees: int = 0, least_in_leaf: int = 1
) -> int:
    """Return what a fit on `rows` is expected to take beside the loaded table."""
    cells = (rows + held_rows) * max(1, shape.columns(REGISTRY[algorithm].encoding))
    needed = FIXED_BYTES + cells * CELL_BYTES * FACTORS.get(algorithm, OTHER_FACTOR)
    needed += (rows + held_rows) * shape.num_classes * CLASS_SCORE_BYTES
    if algorithm in FORESTS:
        node = NODE_BYTES + CELL_BYTES * shape.num_classes
        needed += trees * rows * FORESTS[algorithm] * node / least_in_leaf
    if algorithm == "svm":
        needed += min(KERNEL_CACHE_BYTES, rows * rows * 4)
    return int(needed)


@dataclass(frozen=True, kw_only=True)
class Need:
    """A fit's estimate as a function of its rung."""

    shape: Shape
    algorithm: str
    rows: int
    held_rows: int
    trees: int
    least_in_leaf: int

    def at(self, rung: Rung) -> int:
        """Return the bytes at a rung."""
        return estimate_bytes(
            self.shape,
            self.algorithm,
            rows=int(self.rows * rung.rows),
            held_rows=self.held_rows,
            trees=int(self.trees * rung.rounds),
            least_in_leaf=self.least_in_leaf,
        )

    def rung_within(self, free_bytes: float, start: Rung = TOP, *, has_rounds: bool) -> Rung:
        """Return the first rung from `start` down that is expected to fit, or the last one."""
        rung = start
        while self.at(rung) > free_bytes and (lower := rung.next(num_rows=self.rows, has_rounds=has_rounds)):
            rung = lower
        return rung
