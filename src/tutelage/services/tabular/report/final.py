"""The kept model: `final` fixes the rounds on a validation part, `refit` trains on all rows and is tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from tutelage.services.tabular.report.closing import FINAL, REFIT, Closing
from tutelage.services.tabular.search.asked import Asked

EVERY_ROUND = 1_000_000
ROUNDS_ALIKE = 1.25
"""Models of the same parameters whose rounds differ by no more than this factor are about as sure as one another."""

MODEL = "model.joblib"
Curve = tuple[tuple[int, dict[str, float]], ...]


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
    calibrator: Calibrator | None = None
    curve: Curve = ()
    """Every round of the validated fit, as (round, losses)."""


def fit_final(
    config: TabularConfig,
    run: Run,
    plan: Plan,
    closing: Closing,
    child: FitChild,
    asked: Asked,
    *,
    out_of_fold: Any,
) -> Final | None:
    """Train the chosen parameters twice; None when somebody asked to end."""
    seed = seed_of(run.seed, "final")
    fitted = _validate(config, run, plan, closing, seed=seed)
    if fitted is None:
        return None
    validated, curve = fitted
    algorithm = closing.algorithm
    held_out = _held_out(config, run, plan, closing, validated, out_of_fold if algorithm == plan.algorithm else None)
    if held_out is None:
        return None
    truth, said = held_out
    calibrator = _calibrator(config, run, child, asked, truth, said)
    if asked.must_end():
        return None
    said = calibrator.apply(said) if calibrator else said
    threshold = _threshold(config, run, plan, truth, said)
    rounds = validated.best_rounds if ALGORITHMS[algorithm].has_rounds else None
    kept = _refit(run, plan, closing, seed=seed, rounds=rounds, threshold=threshold, calibrator=calibrator)
    if kept is None or asked.must_end():
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
        calibrator=None if is_another else calibrator,
        curve=curve,
    )


def _on_more_rows(run: Run, closing: Closing, request: messages.Fit, kept: messages.Fitted) -> messages.Fitted:
    """Refit on more rows while the time limit has room for it; the model at hand is kept until a larger one is."""
    assert request.keep is not None
    larger = request.keep.with_suffix(".more")
    larger.unlink(missing_ok=True)  # of an attempt that was killed
    while (rows := closing.room_for_more(kept, len(request.train))) is not None:
        run.log(f"{REFIT}: time is left, again on {rows} rows in place of {closing.rows}")
        found = closing.fit_more(replace(request, keep=larger), rows, on_rounds=_unheard)
        if found is None:
            larger.unlink(missing_ok=True)
            break
        larger.replace(request.keep)
        kept = found
    return kept


def _validate(
    config: TabularConfig, run: Run, plan: Plan, closing: Closing, *, seed: int
) -> tuple[messages.Fitted, Curve] | None:
    """Fit on a part of the training rows and score the rest; return it with its rounds, None when asked to end."""
    run.phase("final")
    run.judge(FINAL, until=closing.last_round)
    request = _final_request(config, plan, closing, seed=seed)
    curve: list[tuple[int, dict[str, float]]] = []
    validated = _fit(run, closing, request, scope=FINAL, curve=curve)
    if validated is None:
        return None
    if plan.objective in validated.scores and validated.num_rounds is None:  # one value is no curve to be judged by
        run.scope(FINAL).metric(_last_round(validated), {plan.objective: validated.scores[plan.objective]})
    return validated, tuple(curve)


def _refit(
    run: Run,
    plan: Plan,
    closing: Closing,
    *,
    seed: int,
    rounds: int | None,
    threshold: Threshold | None,
    calibrator: Calibrator | None,
) -> messages.Fitted | None:
    """Fit on all training rows and keep the model; None when asked to end."""
    request = messages.Fit(
        algorithm=closing.algorithm,
        params=closing.params,
        seed=seed,
        train=_all_rows(plan),
        rounds=rounds,
        max_points=EVERY_ROUND,
        keep=_unsigned(run),
        threshold=threshold.value if threshold else None,
        calibrator=calibrator,
    )
    run.phase("refit")
    kept = _fit(run, closing, request, scope=REFIT)
    return None if kept is None else _on_more_rows(run, closing, request, kept)


def _final_request(config: TabularConfig, plan: Plan, closing: Closing, *, seed: int, **more: Any) -> messages.Fit:
    train, held = plan.divided.final
    return messages.Fit(
        algorithm=closing.algorithm,
        params=closing.params,
        seed=seed,
        train=train,
        validation=held,
        early_stopping=config.options.early_stopping_rounds,
        max_points=EVERY_ROUND,
        **more,
    )


def _held_out(
    config: TabularConfig, run: Run, plan: Plan, closing: Closing, validated: messages.Fitted, out_of_fold: Any
) -> tuple[Any, Any] | None:
    """Return truth and predictions for threshold and calibration; None when somebody asked to end.

    The best trial's out-of-fold ones, or the final fit's where no trial ended; but predictions of many more (or fewer)
    rounds than the kept model will have are surer than its own, so the final fit is then asked again for its rounds.
    """
    truth = plan.target[plan.divided.final[1]]
    had = float(np.median(closing.fold_rounds)) if out_of_fold is not None and closing.fold_rounds else None
    had = had or validated.num_rounds
    is_learned = config.threshold_for is not None or config.calibration != "none"
    if is_learned and config.options.early_stopping_rounds is None and have_other_rounds(had, validated.best_rounds):
        run.log(f"{FINAL}: again with {validated.best_rounds} rounds, those of the kept model; the folds had {had:g}")
        seed = seed_of(run.seed, "final")
        request = _final_request(config, plan, closing, seed=seed, rounds=validated.best_rounds)
        again = closing.fit(request, scope=FINAL, on_rounds=_unheard)
        return None if again is None else (truth, again.predictions)
    return (plan.target, out_of_fold) if out_of_fold is not None else (truth, validated.predictions)


def have_other_rounds(had: float | None, kept: int | None) -> bool:
    """Tell whether predictions of a model of `had` rounds say little of one that has `kept` of them."""
    return bool(had and kept) and not 1 / ROUNDS_ALIKE <= kept / had <= ROUNDS_ALIKE  # type: ignore[operator]


def _unheard(rounds: messages.Rounds) -> None:
    return None


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
    found = replace(found, tuned_on="folds" if len(truth) == len(plan.target) else "final")
    run.log(f"threshold for {plan.classes[1]!r}: {found.value:.4f}, tuned for {found.optimize_for}")
    return found


def _fit(
    run: Run,
    closing: Closing,
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
            if curve and rounds.points and rounds.points[0][0] <= curve[-1][0]:
                curve.clear()  # the fit began again, in a smaller size
            curve.extend(rounds.points)

    if scope == FINAL:
        fitted = closing.fit_final(request, on_rounds=on_rounds)
    else:
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
