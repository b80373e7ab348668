"""The kept model: `final` fixes the rounds on a validation part, `refit` trains on all rows and is tested."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.core.ports import Run
from tutelage.services.tabular.catalog import ALGORITHMS
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.fits import FitChild
from tutelage.services.tabular.models.calibration import Calibrator
from tutelage.services.tabular.models.thresholds import Threshold, tune
from tutelage.services.tabular.plan import Plan, answered, seed_of
from tutelage.services.tabular.search.asked import Asked

EVERY_ROUND = 1_000_000
MODEL = "model.joblib"
Curve = tuple[tuple[int, dict[str, float]], ...]


@dataclass(frozen=True, kw_only=True)
class Final:
    """The final fit and the refit that is kept."""

    validated: messages.Fitted
    kept: messages.Fitted
    rounds: int | None
    threshold: Threshold | None = None
    calibrator: Calibrator | None = None
    curve: Curve = ()
    """Every round of the validated fit, as (round, losses)."""


def fit_final(
    config: TabularConfig,
    run: Run,
    plan: Plan,
    child: FitChild,
    asked: Asked,
    params: dict[str, Any],
    *,
    out_of_fold: Any,
) -> Final | None:
    """Train the chosen parameters twice; None when somebody asked to end."""
    seed = seed_of(run.seed, "final")
    fitted = _validate(config, run, plan, child, asked, params, seed=seed)
    if fitted is None:
        return None
    validated, curve = fitted
    truth, said = _held_out(plan, validated, out_of_fold)
    calibrator = _calibrator(config, run, child, asked, truth, said)
    if asked.must_end():
        return None
    said = calibrator.apply(said) if calibrator else said
    threshold = _threshold(config, run, plan, truth, said)
    rounds = validated.best_rounds if ALGORITHMS[plan.algorithm].has_rounds else None
    request = messages.Fit(
        algorithm=plan.algorithm,
        params=params,
        seed=seed,
        train=_all_rows(plan),
        rounds=rounds,
        max_points=EVERY_ROUND,
        keep=_unsigned(run),
        threshold=threshold.value if threshold else None,
        calibrator=calibrator,
    )
    run.phase("refit")
    kept = _fit(config, run, child, asked, request, scope="refit")
    if kept is None:
        return None
    return Final(validated=validated, kept=kept, rounds=rounds, threshold=threshold, calibrator=calibrator, curve=curve)


def _validate(
    config: TabularConfig, run: Run, plan: Plan, child: FitChild, asked: Asked, params: dict[str, Any], *, seed: int
) -> tuple[messages.Fitted, Curve] | None:
    """Fit on a part of the training rows and score the rest; return it with its rounds, None when asked to end."""
    run.phase("final")
    run.judge("final")
    train, held = plan.divided.final
    request = messages.Fit(
        algorithm=plan.algorithm,
        params=params,
        seed=seed,
        train=train,
        validation=held,
        early_stopping=config.options.early_stopping_rounds,
        max_points=EVERY_ROUND,
    )
    curve: list[tuple[int, dict[str, float]]] = []
    validated = _fit(config, run, child, asked, request, scope="final", curve=curve)
    if validated is None:
        return None
    if plan.objective in validated.scores:
        run.scope("final").metric(_last_round(validated), {plan.objective: validated.scores[plan.objective]})
    return validated, tuple(curve)


def _held_out(plan: Plan, validated: messages.Fitted, out_of_fold: Any) -> tuple[Any, Any]:
    """Return truth and predictions: the best trial's out-of-fold ones, or the final fit's where no trial ended."""
    if out_of_fold is not None:
        return plan.target, out_of_fold
    return plan.target[plan.divided.final[1]], validated.predictions


def _calibrator(
    config: TabularConfig, run: Run, child: FitChild, asked: Asked, truth: Any, said: Any
) -> Calibrator | None:
    """Learn the correction of probabilities; None where none is asked for, or where somebody asked to end."""
    if config.calibration == "none":
        return None
    request = messages.Calibrate(method=config.calibration, truth=truth, probabilities=said)
    answer = child.ask(request, timeout_s=config.options.fit_timeout, must_end=asked.must_end)
    if isinstance(answer, messages.Lost) and answer.reason == "ended":
        return None
    found: Calibrator = answered(answer)
    run.log(f"calibration: {found.method}, learned from {found.num_rows} predictions of rows held out")
    return found


def _threshold(config: TabularConfig, run: Run, plan: Plan, truth: Any, said: Any) -> Threshold | None:
    """Tune the threshold on predictions of rows held out."""
    if config.threshold_for is None:
        return None
    is_second = np.asarray(truth == plan.classes[1])
    found = tune(is_second, said[:, 1], optimize_for=config.threshold_for, costs=config.costs)
    run.log(f"threshold for {plan.classes[1]!r}: {found.value:.4f}, tuned for {found.optimize_for}")
    return found


def _fit(
    config: TabularConfig,
    run: Run,
    child: FitChild,
    asked: Asked,
    request: messages.Fit,
    *,
    scope: str,
    curve: list[tuple[int, dict[str, float]]] | None = None,
) -> messages.Fitted | None:
    reporter = run.scope(scope)

    def on_rounds(rounds: messages.Rounds) -> None:
        for step, values in rounds.points:
            reporter.metric(step, values)
        if curve is not None:
            curve.extend(rounds.points)

    answer = child.ask(request, timeout_s=config.options.fit_timeout, on_rounds=on_rounds, must_end=asked.must_end)
    if isinstance(answer, messages.Lost) and answer.reason == "ended":
        return None
    fitted: messages.Fitted = answered(answer)
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
