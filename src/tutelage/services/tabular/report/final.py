"""The kept model: `final` fixes the rounds on a validation part, `refit` trains on all rows and is tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.core.ports import Run
from tutelage.services.tabular.catalog import ALGORITHMS
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.models.thresholds import Threshold, tune
from tutelage.services.tabular.plan import Plan, seed_of
from tutelage.services.tabular.report.closing import FINAL, REFIT, Closing

EVERY_ROUND = 1_000_000
MODEL = "model.joblib"


@dataclass(frozen=True, kw_only=True)
class Final:
    """The final fit and the refit that is kept: its algorithm, parameters and number of training rows."""

    validated: messages.Fitted
    kept: messages.Fitted
    rounds: int | None
    algorithm: str
    params: Mapping[str, Any]
    rows: int
    threshold: Threshold | None = None


def fit_final(config: TabularConfig, run: Run, plan: Plan, closing: Closing, *, out_of_fold: Any) -> Final | None:
    """Train the chosen parameters twice; None when somebody asked to end."""
    run.phase("final")
    run.judge("final")
    train, held = plan.divided.final
    seed = seed_of(run.seed, "final")
    request = messages.Fit(
        algorithm=closing.algorithm,
        params=closing.params,
        seed=seed,
        train=train,
        validation=held,
        early_stopping=config.options.early_stopping_rounds,
        max_points=EVERY_ROUND,
    )
    validated = _fit(run, closing, request, scope=FINAL)
    if validated is None:
        return None
    run.scope(FINAL).metric(_last_round(validated), {plan.objective: validated.scores[plan.objective]})
    algorithm = closing.algorithm
    threshold = _threshold(config, run, plan, validated, out_of_fold if algorithm == plan.algorithm else None)
    rounds = validated.best_rounds if ALGORITHMS[algorithm].has_rounds else None
    request = messages.Fit(
        algorithm=algorithm,
        params=closing.params,
        seed=seed,
        train=_all_rows(plan),
        rounds=rounds,
        max_points=EVERY_ROUND,
        keep=_unsigned(run),
        threshold=threshold.value if threshold else None,
    )
    run.phase("refit")
    kept = _fit(run, closing, request, scope=REFIT)
    if kept is None:
        return None
    is_another = closing.algorithm != algorithm
    return Final(
        validated=validated,
        kept=kept,
        rounds=kept.num_rounds if kept.is_cut or is_another else rounds,
        algorithm=closing.algorithm,
        params=closing.params,
        rows=closing.rows,
        threshold=None if is_another else threshold,
    )


def _threshold(
    config: TabularConfig, run: Run, plan: Plan, validated: messages.Fitted, out_of_fold: Any
) -> Threshold | None:
    """Tune the threshold on the best trial's out-of-fold predictions, or on the final fit's where no trial ended."""
    if config.threshold_for is None:
        return None
    is_second, said = np.asarray(plan.target == plan.classes[1]), out_of_fold
    if said is None:
        is_second, said = is_second[plan.divided.final[1]], validated.predictions
    found = tune(is_second, said[:, 1], optimize_for=config.threshold_for, costs=config.costs)
    run.log(f"threshold for {plan.classes[1]!r}: {found.value:.4f}, tuned for {found.optimize_for}")
    return found


def _fit(run: Run, closing: Closing, request: messages.Fit, *, scope: str) -> messages.Fitted | None:
    reporter = run.scope(scope)

    def on_rounds(rounds: messages.Rounds) -> None:
        for step, values in rounds.points:
            reporter.metric(step, values)

    fitted = closing.fit(request, scope=scope, on_rounds=on_rounds)
    if fitted is None:
        return None
    reporter.metric(_last_round(fitted), fit_s=fitted.fit_s)
    for text in fitted.warnings:
        run.log(f"{scope}: {text}", level="warning")
    return fitted


def _last_round(fitted: messages.Fitted) -> int:
    return (fitted.num_rounds or 1) - 1


def _all_rows(plan: Plan) -> messages.Rows:
    return np.arange(len(plan.target))


def _unsigned(run: Run) -> Path:
    """Return where the child writes the model; it becomes the artifact once it is signed."""
    return run.artifact(MODEL).with_suffix(".tmp")
