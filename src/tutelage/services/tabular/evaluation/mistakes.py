"""The test's errors: the most confident wrong answers, the classes taken for one another, the largest residuals."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutelage.services.tabular.evaluation.measures import Outcome

MAX_ROWS, MAX_PAIRS, NUM_PARTS = 20, 10, 5


def error_analysis(test: Outcome) -> dict[str, Any]:
    """Return the errors that are worth a look; rows by their number in the source."""
    found = _of_classes(test) if test.has_classes else _of_numbers(test)
    return {"rowsCount": "rows of the source that have a target, from 0", **found}


def _of_classes(test: Outcome) -> dict[str, Any]:
    wrong = np.flatnonzero(test.truth != test.said)
    sure = test.shares[np.arange(len(test.truth)), test.said]
    first = wrong[np.argsort(-sure[wrong], kind="stable")][:MAX_ROWS]
    rows = [
        {
            "row": int(test.rows[index]),
            "truth": test.classes[test.truth[index]],
            "predicted": test.classes[test.said[index]],
            "probability": float(sure[index]),
        }
        for index in first
    ]
    return {"errors": len(wrong), "confidentErrors": rows, "confusionPairs": _pairs(test)}


def _pairs(test: Outcome) -> list[dict[str, Any]]:
    count = len(test.classes)
    matrix = np.bincount(test.truth * count + test.said, minlength=count * count).reshape(count, count)
    off = [(int(matrix[i, j]), i, j) for i in range(count) for j in range(count) if i != j and matrix[i, j]]
    return [
        {
            "truth": test.classes[true],
            "predicted": test.classes[said],
            "rows": rows,
            "shareOfTruth": rows / int(matrix[true].sum()),
        }
        for rows, true, said in sorted(off, reverse=True)[:MAX_PAIRS]
    ]


def _of_numbers(test: Outcome) -> dict[str, Any]:
    residual = test.said - test.truth
    first = np.argsort(-np.abs(residual), kind="stable")[:MAX_ROWS]
    rows = [
        {
            "row": int(test.rows[index]),
            "truth": float(test.truth[index]),
            "predicted": float(test.said[index]),
            "residual": float(residual[index]),
        }
        for index in first
    ]
    parts = []
    for part in np.array_split(np.argsort(test.truth, kind="stable"), NUM_PARTS):
        if len(part):
            parts.append(
                {
                    "from": float(test.truth[part].min()),
                    "to": float(test.truth[part].max()),
                    "rows": len(part),
                    "bias": float(residual[part].mean()),
                    "mae": float(np.abs(residual[part]).mean()),
                }
            )
    return {"bias": float(residual.mean()), "largestResiduals": rows, "byTruth": parts}
