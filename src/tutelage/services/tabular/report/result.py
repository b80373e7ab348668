"""The result document, and the files that go with it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from tutelage.core.atomic import write_json
from tutelage.core.ports import Run
from tutelage.core.signing import installation_key, sign_file
from tutelage.services.tabular.catalog import CLASSIFICATION
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.fitting.ladder import Ladder
from tutelage.services.tabular.models.algorithms import REGISTRY
from tutelage.services.tabular.models.thresholds import decide
from tutelage.services.tabular.plan import Plan
from tutelage.services.tabular.report.final import MODEL, Final
from tutelage.services.tabular.report.limits import limits_metadata
from tutelage.services.tabular.report.plots import confusion_counts, draw_confusion
from tutelage.services.tabular.search.state import COMPLETE, FAILED, PRUNED, State, Trial
from tutelage.settings import load_settings


def package(
    config: TabularConfig, run: Run, plan: Plan, state: State, final: Final, chosen: Trial, *, ladder: Ladder
) -> dict[str, Any]:
    """Sign the model, write every artifact and return the result document."""
    _sign(run)
    names = [MODEL, f"{MODEL}.sig"]
    for name, content in _documents(plan, state, final).items():
        write_json(run.artifact(name), content)
        names.append(name)
    names += _predictions(run, plan, state)
    if plan.task == CLASSIFICATION:
        names.append(_confusion(run, plan, final))
    shown = [name for name in names if not name.endswith(".sig")]
    return {
        "success": True,
        "modelPath": f"artifacts/{MODEL}",
        "metrics": {"test": final.kept.test_scores, "crossValidation": _cross_validation(plan, final, chosen)},
        "bestParams": dict(final.params),
        "featureImportance": final.kept.importance,
        "experiment": {"status": "disabled"},
        "metadata": _metadata(config, plan, state, final, chosen) | limits_metadata(config, state, final, ladder),
        "artifacts": [f"artifacts/{name}" for name in shown],
        **({"unrecognized": config.unrecognized} if config.unrecognized else {}),
    }


def _sign(run: Run) -> None:
    """Give the model its name only once it is signed."""
    path = run.artifact(MODEL)
    os.replace(path.with_suffix(".tmp"), path)
    sign_file(path, installation_key(load_settings().files.key))


def _cross_validation(plan: Plan, final: Final, trial: Trial) -> dict[str, float]:
    if final.algorithm != plan.algorithm:
        return {}  # the folds were scored with the algorithm that gave way to a lighter one
    summary = trial.summary()
    return {f"{name}_{part}": value for name, parts in summary.items() for part, value in parts.items()}


def _metadata(config: TabularConfig, plan: Plan, state: State, final: Final, chosen: Trial) -> dict[str, Any]:
    states = [trial.state for trial in state.trials]
    return {
        "trainingTime": round(state.work_s, 3),
        "nTrials": len(state.trials),
        "nTrialsComplete": states.count(COMPLETE),
        "nTrialsPruned": states.count(PRUNED),
        "nTrialsFailed": states.count(FAILED),
        "bestTrialNumber": chosen.number,
        "bestTrialComplete": chosen.state == COMPLETE,
        "stoppedEarly": state.stopped,
        "algorithm": final.algorithm,
        "modelType": plan.task,
        "objective": plan.objective,
        "baseline": {plan.objective: plan.baseline},
        "classes": plan.classes,
        "rounds": final.rounds,
        **({"threshold": final.threshold.record} if final.threshold else {}),
        "rowsTrain": len(plan.target),
        "rowsTest": len(plan.test_target),
        "numFeatures": len(plan.reader.columns),
        "features": plan.reader.names,
        "ignoredColumns": plan.ignored,
        "target": config.target,
        "validation": {"type": plan.strategy, "folds": len(plan.divided.folds)},
        "data": dict(plan.tables),
    }


def _documents(plan: Plan, state: State, final: Final) -> dict[str, Any]:
    return {
        "feature_importance.json": {
            "method": REGISTRY[final.algorithm].importance,
            "unit": "share of the whole",
            "importance": final.kept.importance,
        },
        "training_history.json": {
            "objective": plan.objective,
            "baseline": plan.baseline,
            "trials": [{**vars(trial), "scores": trial.summary()} for trial in state.trials],
            "final": {"rounds": final.validated.num_rounds, "scores": final.validated.scores},
        },
        "splits.json": {
            "counted": "rows of the source that have a target, from 0; folds and final count rows of `train`",
            "train": plan.train_rows.tolist(),
            "test": plan.test_rows.tolist(),
            "folds": [{"train": train.tolist(), "validation": held.tolist()} for train, held in plan.divided.folds],
            "final": dict(zip(("train", "validation"), (rows.tolist() for rows in plan.divided.final), strict=True)),
        },
        "schema.json": {
            "target": {"task": plan.task, "classes": plan.classes},
            "columns": [vars(column) for column in plan.columns],
        },
    }


def _predictions(run: Run, plan: Plan, state: State) -> list[str]:
    """Write the best trial's out-of-fold predictions, in the order of the training rows; a row without any is NaN."""
    whole = best_out_of_fold(plan, state)
    if whole is None:
        return []
    name = "out_of_fold.npy"
    np.save(run.artifact(name), whole)
    return [name]


def best_out_of_fold(plan: Plan, state: State) -> Any:
    """Return the best trial's out-of-fold predictions, or None where no trial is complete."""
    if state.best is None:
        return None
    return out_of_fold(len(plan.target), plan.divided.folds, state.predictions[state.best.number])


def out_of_fold(num_rows: int, folds: list[tuple[Any, Any]], predictions: list[Any]) -> Any:
    """Return one prediction a row: the mean over the folds that held it out, NaN where none did."""
    whole = np.zeros((num_rows, *np.shape(predictions[0])[1:]))
    counts = np.zeros((num_rows,) + (1,) * (whole.ndim - 1))
    for (_, held), values in zip(folds, predictions, strict=True):
        whole[held] += values
        counts[held] += 1
    with np.errstate(invalid="ignore"):
        return whole / counts


def _confusion(run: Run, plan: Plan, final: Final) -> str:
    name = "confusion_matrix.png"
    classes = np.asarray(plan.classes)
    threshold = final.threshold.value if final.threshold else None
    said = decide(final.kept.test_predictions, classes, threshold)
    counts = confusion_counts(np.asarray(plan.test_target), said, plan.classes)
    title = f"{final.algorithm} on {len(plan.test_target):,} test rows"
    draw_confusion(run.artifact(name), counts, plan.classes, title=title)
    return name
