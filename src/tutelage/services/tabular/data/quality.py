"""How good a table is to learn from, 0-100 with the reasons: measured before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.services.tabular.catalog import CLASSIFICATION
from tutelage.services.tabular.data.leaks import Suspect, leak_suspects
from tutelage.services.tabular.data.types import (
    CATEGORICAL,
    NUMERIC,
    USED,
    Column,
    ColumnReader,
    infinite_cells,
)

MAX_ROWS = 20_000
"""Rows that are looked at; of a longer table, so many drawn by a fixed seed."""

MAX_NAMED = 8
FEW_ROWS = 200
RARE_ZEROS, LOW_QUANTILE, NEAR_MEDIAN = 0.005, 0.001, 0.4
"""Zeros and negative cells of a column are impossible values where they are at most so rare, and all but the lowest
thousandth of the positive ones are above this share of their median: lengths and weights, not counts or amounts."""


@dataclass(frozen=True, kw_only=True)
class DataQuality:
    """The score, what was taken off for what, and the columns in question."""

    score: int
    reasons: tuple[str, ...]
    suspects: tuple[Suspect, ...]
    impossible: dict[str, int]
    num_duplicates: int

    @property
    def leaking(self) -> list[str]:
        """The columns that were measured to be suspect, hints by name left out."""
        return list(dict.fromkeys(name for item in self.suspects if not item.is_hint for name in item.columns))

    @property
    def document(self) -> dict[str, Any]:
        """The result's `metadata.dataQuality`."""
        return {
            "score": self.score,
            "reasons": list(self.reasons),
            "leakSuspects": [item.document for item in self.suspects],
            "impossibleValues": self.impossible,
            "duplicateRows": self.num_duplicates,
        }


def look(
    frame: Any, columns: list[Column], *, values: Any = None, task: str = "", target_name: str = ""
) -> DataQuality:
    """Measure a table; `values` is the target of each row, None where there is none."""
    num_duplicates = int(frame.duplicated().sum())
    if len(frame) > MAX_ROWS:
        drawn = np.sort(np.random.default_rng(0).choice(len(frame), MAX_ROWS, replace=False))
        sample, sampled = frame.iloc[drawn].reset_index(drop=True), None if values is None else values[drawn]
    else:
        sample, sampled = frame.reset_index(drop=True), values
    typed = ColumnReader(columns).transform(sample)
    suspects: list[Suspect] = []
    if sampled is not None and len(np.unique(sampled)) > 1:
        suspects = leak_suspects(typed, sampled, columns, task=task, target_name=target_name)
    impossible = impossible_values(typed, columns)
    takes = [
        *_of_cells(frame, columns, impossible),
        *_of_rows(frame, num_duplicates, values if task == CLASSIFICATION else None),
        *_of_suspects(suspects),
    ]
    score = round(max(0.0, 100 - sum(take for take, _ in takes)))
    reasons = tuple(f"-{take:.0f}: {reason}" for take, reason in takes if take >= 0.5)
    return DataQuality(
        score=score,
        reasons=reasons,
        suspects=tuple(suspects),
        impossible=impossible,
        num_duplicates=num_duplicates,
    )


def impossible_values(typed: Any, columns: list[Column]) -> dict[str, int]:
    """Count zeros and negative cells in columns of otherwise positive measures, such as a length of 0."""
    found = {}
    for name in (column.name for column in columns if column.kind == NUMERIC):
        cells = typed[name].to_numpy()
        cells = cells[np.isfinite(cells)]
        low = int((cells <= 0).sum())
        positive = cells[cells > 0]
        if 0 < low <= RARE_ZEROS * len(cells) and np.quantile(positive, LOW_QUANTILE) > NEAR_MEDIAN * np.median(
            positive
        ):
            found[name] = low
    return found


Takes = list[tuple[float, str]]


def _of_cells(frame: Any, columns: list[Column], impossible: dict[str, int]) -> Takes:
    missing = sum(column.num_missing for column in columns) / max(1, len(frame) * len(columns))
    unused = [f"{column.name} ({column.kind})" for column in columns if column.kind not in USED]
    mixed = [column.name for column in columns if column.kind == CATEGORICAL and column.note.startswith("mixed")]
    infinite = infinite_cells(frame, columns)
    sentinels = [column.name for column in columns if column.sentinels]
    zeros = [f"{name} ({count} rows)" for name, count in impossible.items()]
    cannot = f"{len(unused)} columns cannot be learned from: {_some(unused)}"
    return [
        (min(30.0, 100 * missing), f"{missing:.1%} of the cells are missing"),
        (min(15.0, 3 * len(unused)), cannot),
        (min(10.0, 3 * len(mixed)), f"{len(mixed)} columns mix numbers and text: {_some(mixed)}"),
        (min(10.0, 3 * len(infinite)), f"{len(infinite)} columns hold infinite values: {_some(list(infinite))}"),
        (min(10.0, 2 * len(sentinels)), f"numbers stand for missing values in {_some(sentinels)}"),
        (min(10.0, 2 * len(zeros)), f"impossible values (0 or less) in {_some(zeros)}"),
    ]


def _of_rows(frame: Any, num_duplicates: int, classes: Any) -> Takes:
    takes = [
        (min(15.0, 100 * num_duplicates / len(frame)), f"{num_duplicates} rows repeat another row"),
        (20.0 if len(frame) < FEW_ROWS else 0.0, f"only {len(frame)} rows"),
    ]
    if classes is not None:
        counts = np.unique(classes, return_counts=True)[1]
        rare = counts.min() / len(classes)
        takes.append((10.0 if rare < 0.1 / len(counts) else 0.0, f"the rarest class has {rare:.2%} of the rows"))
    return takes


def _of_suspects(suspects: list[Suspect]) -> Takes:
    measured = [item for item in suspects if not item.is_hint]
    hints = [item for item in suspects if item.is_hint]
    shown = _some([" + ".join(item.columns) for item in measured])
    return [
        (min(30.0, 15 * len(measured)), f"{len(measured)} leak suspects: {shown}"),
        (
            min(6.0, 2 * len(hints)),
            f"{len(hints)} columns named like a leak: {_some([item.columns[0] for item in hints])}",
        ),
    ]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
