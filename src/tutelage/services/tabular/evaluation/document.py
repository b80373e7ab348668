"""The evaluation document: what the test says about the kept model, for people and for programs that decide on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.services.tabular.catalog import CLASSIFICATION, REGRESSION
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.evaluation.advice import recommendations
from tutelage.services.tabular.evaluation.fairness import sensitive_groups
from tutelage.services.tabular.evaluation.grid import business_impact, threshold_analysis
from tutelage.services.tabular.evaluation.measures import Outcome, measure_of, outcome_of, resampled, spreads
from tutelage.services.tabular.evaluation.mistakes import error_analysis
from tutelage.services.tabular.evaluation.slices import important_columns, slice_metrics
from tutelage.services.tabular.plan import Plan, seed_of
from tutelage.services.tabular.report.final import Final

LEVEL = 0.95


def evaluate(
    config: TabularConfig,
    plan: Plan,
    final: Final,
    result: Mapping[str, Any],
    *,
    seed: int,
    deadline_s: float | None = None,
) -> dict[str, Any] | None:
    """Return the evaluation of the kept model on the test; None for a task without a truth to compare with.

    After `deadline_s`, on `time.monotonic()`'s clock, no rows are resampled: intervals are of fewer draws, or null.
    """
    if plan.task not in (CLASSIFICATION, REGRESSION):
        return None
    test = outcome_of(
        task=plan.task,
        classes=plan.classes,
        truth=plan.test_target,
        predictions=final.kept.test_predictions,
        threshold=final.threshold.value if final.threshold else None,
        frame=plan.test_frame,
        rows=plan.test_rows,
        costs=config.costs,
    )
    return evaluation_of(
        test,
        result,
        importance=final.kept.importance,
        used=plan.reader.names,
        sensitive=config.sensitive_features,
        seed=seed_of(seed, "evaluation"),
        deadline_s=deadline_s,
    )


def evaluation_of(
    test: Outcome,
    result: Mapping[str, Any],
    *,
    importance: Mapping[str, float],
    used: list[str],
    sensitive: list[str],
    seed: int,
    deadline_s: float | None = None,
) -> dict[str, Any]:
    """Return the document; a part that has no meaning for the task is null."""
    names = [*important_columns(importance, test.frame), *sensitive]
    document: dict[str, Any] = {
        "modelType": test.task,
        "rows": len(test.truth),
        "threshold": test.threshold,
        "overallMetrics": _overall(test, seed=seed, deadline_s=deadline_s),
        "thresholdAnalysis": threshold_analysis(test),
        "sliceMetrics": slice_metrics(test, names),
        "errorAnalysis": error_analysis(test),
        "businessImpact": business_impact(test, seed=seed, deadline_s=deadline_s),
    }
    if sensitive:
        document["sensitiveFeatures"] = sensitive_groups(test, sensitive, used=used, seed=seed, deadline_s=deadline_s)
    return {**document, "recommendations": recommendations(result, document)}


def _overall(test: Outcome, *, seed: int, deadline_s: float | None) -> dict[str, Any]:
    count, measure, num_rows = max(1, len(test.classes)), measure_of(test), len(test.truth)
    drawn = resampled(measure, num_rows, seed=seed, num_classes=count, deadline_s=deadline_s)
    return {"level": LEVEL, "resamples": len(drawn), "metrics": spreads(measure, num_rows, drawn)}
