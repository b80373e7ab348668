"""What is asked of the signed model: importance by shuffling, its speed, other formats. Runs in the child."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from tutelage.core.signing import check_signature, installation_key
from tutelage.services.tabular.catalog import CLASSIFICATION, direction_of
from tutelage.services.tabular.fitting.messages import Load
from tutelage.services.tabular.fitting.scores import score_one
from tutelage.services.tabular.models.exports import Export, Exported, export
from tutelage.services.tabular.models.permutation import Permuted, Rows, permute
from tutelage.services.tabular.models.pipeline import encoded_sources, predict
from tutelage.settings import load_settings

WARM_UP = 5
BATCH_ROWS = 1000
BATCHES = 3
MIN_TIMED = 10


def permutation(
    loaded: Load, *, model: Path, objective: str, repeats: int, max_rows: int, seed: int, budget_s: float
) -> Permuted | None:
    """Return the importance of each raw column on the test rows, or None where the budget does not allow it."""
    pipeline = _open(model)
    classes = np.unique(loaded.target) if loaded.task == CLASSIFICATION else None
    estimator = pipeline["model"]
    rows = Rows(
        matrix=pipeline["encode"].transform(loaded.test_frame),
        truth=np.asarray(loaded.test_target),
        classes=classes,
        sources=encoded_sources(pipeline["encode"], loaded.reader),
    )

    def scored(truth: Any, said: Any) -> float:
        threshold = getattr(estimator, "threshold", None)
        return score_one(objective, loaded.task, truth, said, classes, threshold=threshold)

    return permute(
        rows,
        lambda matrix: predict(estimator, matrix, classes),
        scored,
        higher_is_better=direction_of(objective) == "maximize",
        repeats=repeats,
        max_rows=max_rows,
        seed=seed,
        budget_s=budget_s,
    )


def latency(loaded: Load, *, model: Path, sample: Any, max_rows: int, budget_s: float) -> dict[str, float]:
    """Time the whole pipeline, warm, on raw rows: one row at a time (ms, median and 95th percentile), and in batches.

    Keys: `row_ms_p50`, `row_ms_p95`, `rows_per_s`, and `num_rows`, how many single rows were timed.
    """
    pipeline = _open(model)
    ask = pipeline.predict_proba if hasattr(pipeline["model"], "predict_proba") else pipeline.predict
    singles = [sample.iloc[[place % len(sample)]] for place in range(max_rows)]
    for row in singles[:WARM_UP]:
        ask(row)
    ends_s = time.monotonic() + budget_s / 2
    took_s: list[float] = []
    for row in singles:
        took_s.append(_timed(ask, row))
        if len(took_s) >= MIN_TIMED and time.monotonic() > ends_s:
            break
    batch = sample.iloc[np.arange(BATCH_ROWS) % len(sample)]
    batches_s = [_timed(ask, batch)]
    while len(batches_s) < BATCHES and batches_s[0] * (len(batches_s) + 1) < budget_s / 2:
        batches_s.append(_timed(ask, batch))
    p50, p95 = np.percentile(took_s, [50, 95]) * 1000
    rows_per_s = len(batch) / float(np.median(batches_s))
    return {"row_ms_p50": float(p50), "row_ms_p95": float(p95), "rows_per_s": rows_per_s, "num_rows": len(took_s)}


def exported(loaded: Load, *, model: Path, to: Path, format: str) -> Exported:
    """Write the model in another format. Raises Unexportable where it cannot be, or predicts otherwise."""
    classes = np.unique(loaded.target) if loaded.task == CLASSIFICATION else None
    asked = Export(pipeline=_open(model), typed=loaded.test_frame, task=loaded.task, classes=classes, to=to)
    return export(asked, format=format)


def _open(model: Path) -> Any:
    check_signature(model, installation_key(load_settings().files.key))
    return joblib.load(model)


def _timed(ask: Any, rows: Any) -> float:
    begun_s = time.perf_counter()
    ask(rows)
    return time.perf_counter() - begun_s
