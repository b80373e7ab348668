"""How much worse a model scores when a column's values are shuffled among the rows, with an interval. In the child.

Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019). Each repeat shuffles anew, and is scored on the
rows and on a bootstrap sample of them (Efron 1979): the interval covers the shuffling and the choice of the rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

MIN_REPEATS = 5
"""Fewer give no deviation that an interval could stand on."""

MIN_ROWS = 50
CONFIDENCE = 0.95

Score = Callable[[Any, Any], float]
"""Takes (truth, predictions)."""

Clock = Callable[[], float]
"""Seconds that only grow."""


@dataclass(frozen=True, kw_only=True)
class Permuted:
    """By raw column: mean loss of the objective in its own unit (positive: the column helps), and its 95 % interval."""

    columns: dict[str, dict[str, float]]
    repeats: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Encoded test rows, their truth and classes (None for numbers), and the raw column behind each encoded one."""

    matrix: Any
    truth: Any
    classes: Any
    sources: list[str]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Measures what one shuffled column costs."""

    predict: Callable[[Any], Any]
    score: Score
    clock: Clock

    def of(self, rows: Rows) -> float:
        """Return the seconds of a prediction and of two scores of it, warm."""
        self.score(rows.truth, self.predict(rows.matrix))
        begun_s = self.clock()
        said = self.predict(rows.matrix)
        for _ in range(2):
            self.score(rows.truth, said)
        return self.clock() - begun_s


def permute(
    rows: Rows,
    predict: Callable[[Any], Any],
    score: Score,
    *,
    higher_is_better: bool,
    repeats: int,
    max_rows: int,
    seed: int,
    budget_s: float,
    clock: Clock = time.monotonic,
) -> Permuted | None:
    """Return each column's importance, or None where `budget_s` does not even allow MIN_REPEATS on MIN_ROWS.

    Slow predictors get fewer repeats first, then fewer rows. Columns of one raw column are shuffled together.
    """
    ends_s = clock() + budget_s
    dice = np.random.default_rng(seed)
    names = list(dict.fromkeys(rows.sources))
    cost = Cost(predict=predict, score=score, clock=clock)
    chosen = _sample(rows, cost, dice, limit=max_rows, affordable_s=budget_s / (MIN_REPEATS * len(names)))
    if chosen is None:
        return None
    rows = _taken(rows, chosen)
    before = predict(rows.matrix)
    base = score(rows.truth, before)
    sign = 1.0 if higher_is_better else -1.0
    losses: list[list[float]] = []
    drifts: list[list[float]] = []
    for repeat in range(repeats):
        begun_s = clock()
        again = _bootstrap(rows, dice)
        base_again = score(rows.truth[again], before[again])
        said = [predict(_shuffled(rows, name, dice)) for name in names]
        losses.append([sign * (base - score(rows.truth, item)) for item in said])
        scored_again = [sign * (base_again - score(rows.truth[again], item[again])) for item in said]
        drifts.append([other - loss for other, loss in zip(scored_again, losses[-1], strict=True)])
        if repeat + 1 >= MIN_REPEATS and 2 * clock() - begun_s > ends_s:
            break
    return Permuted(
        columns=_intervals(names, np.array(losses), np.array(drifts)), repeats=len(losses), rows=len(rows.truth)
    )


def _sample(rows: Rows, cost: Cost, dice: np.random.Generator, *, limit: int, affordable_s: float) -> Any:
    """Return the rows to use: at most `limit`, as many as cost `affordable_s`; None where that is below MIN_ROWS."""
    order = _order(rows, dice)
    few, some = order[:MIN_ROWS], order[: 5 * MIN_ROWS]
    few_s = cost.of(_taken(rows, few))
    if few_s > affordable_s:
        return None
    row_s = max(cost.of(_taken(rows, some)) - few_s, 1e-9) / max(len(some) - len(few), 1)
    call_s = max(few_s - row_s * len(few), 0.0)
    affordable = max(int((affordable_s - call_s) / row_s), len(few))
    return np.sort(order[: min(limit, affordable)])


def _order(rows: Rows, dice: np.random.Generator) -> Any:
    """Return all rows in an order drawn at random, but for one row of each class at its head: scores need them."""
    order = dice.permutation(len(rows.truth))
    if rows.classes is None:
        return order
    firsts = np.unique(rows.truth[order], return_index=True)[1]
    return np.r_[order[firsts], np.delete(order, firsts)]


def _taken(rows: Rows, chosen: Any) -> Rows:
    return Rows(matrix=rows.matrix[chosen], truth=rows.truth[chosen], classes=rows.classes, sources=rows.sources)


def _bootstrap(rows: Rows, dice: np.random.Generator) -> Any:
    """Draw as many rows again with replacement, of each class as many as there are: every score stays defined."""
    if rows.classes is None:
        return dice.integers(0, len(rows.truth), len(rows.truth))
    groups = [np.flatnonzero(rows.truth == name) for name in rows.classes]
    return np.concatenate([dice.choice(group, len(group)) for group in groups if len(group)])


def _shuffled(rows: Rows, name: str, dice: np.random.Generator) -> Any:
    columns = [place for place, source in enumerate(rows.sources) if source == name]
    changed = rows.matrix.copy()
    changed[:, columns] = rows.matrix[dice.permutation(len(changed))][:, columns]
    return changed


def _intervals(names: list[str], losses: Any, drifts: Any) -> dict[str, dict[str, float]]:
    """Return mean and Student interval by column; a row of each array is a repeat, a column a name.

    The variance is that of the mean of the losses over the shuffles, and that of a loss over samples of the rows.
    """
    means = losses.mean(axis=0)
    variance = losses.var(axis=0, ddof=1) / len(losses) + np.mean(drifts**2, axis=0)
    half = np.sqrt(variance) * stats.t.ppf((1 + CONFIDENCE) / 2, len(losses) - 1)
    ranked = sorted(range(len(names)), key=lambda place: (-means[place], names[place]))
    return {
        names[place]: {
            "mean": float(means[place]),
            "low": float(means[place] - half[place]),
            "high": float(means[place] + half[place]),
        }
        for place in ranked
    }
