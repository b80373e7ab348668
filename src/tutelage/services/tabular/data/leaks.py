"""Columns that may tell the target before it is known: measured ones, and names that sound like it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from tutelage.services.tabular.catalog import CLASSIFICATION
from tutelage.services.tabular.data.types import (
    CATEGORICAL,
    DATETIME,
    NUMERIC,
    TEXT,
    USED,
    Column,
    text_name,
    typed_names,
)

LEAK_SHARE = 0.98
"""A column that alone explains this share of what there is to explain is suspected to be a leak."""

EXACT = 1e-9
"""Share of the target's variance that may be left for a combination of columns to be called exact."""

MAX_BINS, MAX_PAIR_COLUMNS, MAX_SUM_COLUMNS, ROWS_A_COLUMN = 20, 30, 200, 10
MIN_TARGET_NAME = 4
AFTER = re.compile(
    r"(?:^|_)(?:after|post|outcome|outcomes|result|results|resolution|resolved|settled|settlement|refund|refunded|"
    r"cancel|cancelled|canceled|cancellation|churned|closed|closing|terminated|termination|discharged?|exit|exited|"
    r"final|awarded|convicted|died|death|paid_off|charged_off|writeoff|recoveries)(?:_|$)"
)
"""Words that name what is known only afterwards, in a name cut at its capitals and separators."""


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """Columns that may be a leak: `kind` is single, sum, product, combination or name; `share` of the target explained.

    A name alone is a hint: whatever it measures, it is for a person to judge.
    """

    columns: tuple[str, ...]
    kind: str
    why: str
    share: float

    @property
    def is_hint(self) -> bool:
        """Whether only the name speaks for it."""
        return self.kind == "name"

    @property
    def document(self) -> dict[str, Any]:
        """The suspect as JSON."""
        return {"columns": list(self.columns), "kind": self.kind, "why": self.why, "share": round(self.share, 4)}


def leak_suspects(typed: Any, values: Any, columns: list[Column], *, task: str, target_name: str) -> list[Suspect]:
    """Return suspects among the columns that are learned from; `values` is the target of each row of `typed`."""
    learned = [column for column in columns if column.kind in USED]
    found, shares = [], {}
    for column in learned:
        shares[column.name] = share = _alone(typed, column, values, task)
        if share >= LEAK_SHARE:
            why = "alone explains the target"
            found.append(Suspect(columns=(column.name,), kind="single", why=why, share=share))
    if task != CLASSIFICATION:
        numeric = [column.name for column in learned if column.kind == NUMERIC]
        found += _combined(typed[numeric].to_numpy(dtype="float64"), numeric, np.asarray(values, dtype="float64"))
    named = {name for suspect in found for name in suspect.columns}
    found += [
        Suspect(columns=(column.name,), kind="name", why=why, share=shares[column.name])
        for column in learned
        if column.name not in named and (why := sounds_late(column.name, target_name))
    ]
    return found


def _alone(typed: Any, column: Column, values: Any, task: str) -> float:
    """Return the share that one column explains; of dates and texts, whether they are there at all."""
    if column.kind == DATETIME:
        return explained(typed[typed_names(column)[0]].isna(), values, task=task, is_category=True)
    if column.kind == TEXT:
        return explained(typed[text_name(column)] == "", values, task=task, is_category=True)
    return explained(typed[column.name], values, task=task, is_category=column.kind == CATEGORICAL)


def explained(cells: Any, values: Any, *, task: str, is_category: bool) -> float:
    """Return the share of what the trivial model misses that one column explains.

    Groups are categories, or at most 20 quantile bins: of errors for classes (each group says its majority), of
    variance for numbers. Columns with hardly any repeated value explain everything by chance: they count as 0.
    """
    codes, names = pd.factorize(cells if is_category else _bins(cells.to_numpy()), use_na_sentinel=False)
    if len(names) > len(codes) / 10:
        return 0.0
    if task == CLASSIFICATION:
        classes, labels = np.unique(values, return_inverse=True)
        counts = np.zeros((len(names), len(classes)), dtype=int)
        np.add.at(counts, (codes, labels), 1)
        errors = len(codes) - counts.sum(axis=0).max()
        return float(1 - (len(codes) - counts.max(axis=1).sum()) / errors) if errors else 0.0
    sizes = np.bincount(codes, minlength=len(names))
    means = np.bincount(codes, weights=values, minlength=len(names)) / np.maximum(sizes, 1)
    spread = float(np.var(values))
    return float(np.var(means[codes]) / spread) if spread else 0.0


def _bins(numbers: Any) -> Any:
    """Return the quantile bin of each number; missing ones are a bin of their own."""
    present = numbers[np.isfinite(numbers)]
    if not len(present):
        return np.zeros(len(numbers), dtype=int)
    edges = np.unique(np.quantile(present, np.linspace(0, 1, MAX_BINS + 1)[1:-1]))
    return np.where(np.isfinite(numbers), np.searchsorted(edges, numbers, side="left"), -1)


def _combined(matrix: Any, names: list[str], values: Any) -> list[Suspect]:
    """Return pairs whose sum, difference or product the target is, else columns of which it is an exact combination."""
    found = []
    for first, second in combinations(range(min(len(names), MAX_PAIR_COLUMNS)), 2):
        left, right = matrix[:, first], matrix[:, second]
        ways = (("sum", left + right), ("sum", left - right), ("sum", right - left), ("product", left * right))
        for kind, made in ways:
            if _same(made, values):
                why = f"their {'difference' if kind == 'sum' and made is not ways[0][1] else kind} is the target"
                found.append(Suspect(columns=(names[first], names[second]), kind=kind, why=why, share=1.0))
                break
    return found or _linear(matrix[:, :MAX_SUM_COLUMNS], names[:MAX_SUM_COLUMNS], values)


def _same(made: Any, values: Any) -> bool:
    return bool(np.allclose(made[:50], values[:50], rtol=1e-9) and np.allclose(made, values, rtol=1e-9))


def _linear(matrix: Any, names: list[str], values: Any) -> list[Suspect]:
    """Return the columns of an exact linear combination (least squares, EXACT), where rows suffice to say so."""
    whole = np.isfinite(matrix).all(axis=1)
    rows, target = matrix[whole], values[whole]
    if len(names) < 2 or len(rows) < ROWS_A_COLUMN * len(names) or not np.var(target):
        return []
    spreads = rows.std(axis=0)
    scaled = np.divide(rows - rows.mean(axis=0), spreads, out=np.zeros_like(rows), where=spreads > 0)
    weights, *_ = np.linalg.lstsq(scaled, target - target.mean(), rcond=None)
    left = float(np.var(target - target.mean() - scaled @ weights) / np.var(target))
    parts = tuple(name for name, weight in zip(names, weights, strict=True) if abs(weight) > 1e-6 * target.std())
    if left > EXACT or len(parts) < 2:
        return []
    return [
        Suspect(columns=parts, kind="combination", why="the target is an exact weighted sum of them", share=1 - left)
    ]


def sounds_late(name: str, target_name: str) -> str:
    """Return why a column's name sounds like something known only with the target, or ''."""
    words, target = _words(name), _words(target_name)
    if AFTER.search(words):
        return "named like something that is known only afterwards"
    if len(target) >= MIN_TARGET_NAME and words != target and f"_{target}_" in f"_{words}_":
        return "named after the target"
    return ""


def _words(name: str) -> str:
    cut = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", cut.lower()).strip("_")
