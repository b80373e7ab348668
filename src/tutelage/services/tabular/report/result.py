"""The result document, and the files that go with it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.core.atomic import write_bytes, write_json
from tutelage.core.layout import OperationFiles
from tutelage.core.ports import Run
from tutelage.core.signing import installation_key, sign_file
from tutelage.core.tracking import experiment_of
from tutelage.services.tabular.catalog import CLUSTERING
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.data.profile import described, target_facts
from tutelage.services.tabular.fitting.fits import FitChild
from tutelage.services.tabular.fitting.ladder import Ladder
from tutelage.services.tabular.models.algorithms import REGISTRY, with_space
from tutelage.services.tabular.plan import Plan
from tutelage.services.tabular.report.clusters import write_clusters
from tutelage.services.tabular.report.curves import pictures
from tutelage.services.tabular.report.example import EXAMPLE, REQUEST, SCRIPT, request_of
from tutelage.services.tabular.report.explain import explain, explain_search, export, time_model
from tutelage.services.tabular.report.extras import Extras
from tutelage.services.tabular.report.final import MODEL, Final
from tutelage.services.tabular.report.limits import limits_metadata
from tutelage.services.tabular.report.model_card import CARD, Card, model_card
from tutelage.services.tabular.report.pareto import pareto_front, record_front, write_front
from tutelage.services.tabular.search.state import COMPLETE, FAILED, PRUNED, State, Trial
from tutelage.services.tabular.search.study import pruner_for
from tutelage.settings import load_settings

CURVES = "curves.json"


def package(
    config: TabularConfig,
    run: Run,
    plan: Plan,
    state: State,
    final: Final,
    chosen: Trial,
    *,
    child: FitChild,
    ladder: Ladder,
    deadline_s: float | None = None,
) -> dict[str, Any]:
    """Sign the model, write every artifact and return the result document.

    `deadline_s`, on `time.monotonic()`'s clock, is when all must be done: what may be left out then is, with its
    reason in `metadata.artifactsSkipped`; the model, the scores and the documents never are.
    """
    model = _sign(run)
    names = [MODEL, f"{MODEL}.sig", *_documents(config, run, plan, state, final), *_predictions(run, plan, state)]
    extras = Extras(run=run, child=child, deadline_s=deadline_s)
    latency = time_model(extras, plan, model)
    _emit(run, state, {**latency, "model_bytes": model.stat().st_size})
    permuted = explain(extras, plan, final, model, seed=run.seed)
    drawn = _pictures(config, run, plan, state, final, extras)
    space = with_space(REGISTRY[plan.algorithm], config.hyperparameter_search.space).space
    explain_search(extras, plan, state, space, seed=run.seed)
    export(extras, list(config.options.exports), model)
    names += [*extras.names, CURVES, EXAMPLE, REQUEST, CARD]
    if final.kept.clusters:
        names += write_clusters(run, final.kept.clusters, algorithm=plan.algorithm)
    if len(plan.objectives) > 1:
        names.append(write_front(run, state.trials, plan.objectives, chosen))
    metadata = {
        **_metadata(config, plan, state, final, chosen),
        **limits_metadata(config, state, final, ladder),
        "modelBytes": model.stat().st_size,
        "artifactsSkipped": extras.skipped,
    }
    metrics = {
        "test": final.kept.test_scores,
        "crossValidation": {} if final.algorithm != plan.algorithm else cross_validation(chosen),
        "latency": latency,
    }
    result = _result(config, run, final, metrics, metadata, names)
    _write_card(config, run, plan, result, permuted, drawn)
    return result


def _result(
    config: TabularConfig,
    run: Run,
    final: Final,
    metrics: dict[str, dict[str, float]],
    metadata: dict[str, Any],
    names: list[str],
) -> dict[str, Any]:
    """Return the result document; signatures are no artifacts of their own."""
    return {
        "success": True,
        "modelPath": f"artifacts/{MODEL}",
        "metrics": metrics,
        "bestParams": dict(final.params),
        "featureImportance": final.kept.importance,
        "experiment": experiment_of(OperationFiles(run.dir)),
        "metadata": metadata,
        "artifacts": [f"artifacts/{name}" for name in names if not name.endswith(".sig")],
        **({"unrecognized": config.unrecognized} if config.unrecognized else {}),
    }


def _write_card(
    config: TabularConfig, run: Run, plan: Plan, result: dict[str, Any], permuted: Any, drawn: dict[str, Any]
) -> None:
    """Write what a reader of the model starts from: the card, the example and its request."""
    write_json(run.artifact(REQUEST), request_of(plan))
    write_bytes(run.artifact(EXAMPLE), SCRIPT.encode())
    search = config.hyperparameter_search
    pruner = pruner_for(search, len(plan.objectives))
    card = Card(
        name=_name_of(run),
        operation=run.id,
        result=result,
        plan=plan,
        search={"enabled": search.enabled, "sampler": search.sampler, "pruner": pruner},
        permutation=permuted,
        curves=drawn,
    )
    write_bytes(run.artifact(CARD), model_card(card).encode())


def _name_of(run: Run) -> str:
    """Return the operation's name as its spec has it, else its id."""
    spec = OperationFiles(run.dir).spec
    name = json.loads(spec.read_text()).get("name") if spec.is_file() else None
    return str(name or run.id)


def _emit(run: Run, state: State, values: dict[str, float]) -> None:
    """Report the kept model's speed and size beside the trials' scores, at the last trial."""
    run.metric(max(len(state.trials) - 1, 0), values)


def _pictures(
    config: TabularConfig, run: Run, plan: Plan, state: State, final: Final, extras: Extras
) -> dict[str, dict[str, Any]]:
    """Draw every plot and write their numbers, which are returned by the plot's name."""
    found = pictures(plan, state, final, target=config.target, seed=run.seed)
    for picture in found.values():
        extras.draw(picture.file, picture.draw, picture.data)
    numbers = {name: picture.data for name, picture in found.items()}
    write_json(run.artifact(CURVES), numbers)
    return numbers


def _sign(run: Run) -> Path:
    """Give the model its name only once it is signed; return its path."""
    path = run.artifact(MODEL)
    os.replace(path.with_suffix(".tmp"), path)
    sign_file(path, installation_key(load_settings().files.key))
    return path


def cross_validation(trial: Trial) -> dict[str, float]:
    """Return mean and standard deviation of each score over a trial's folds."""
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
        "stoppedEarly": state.stopped or state.final_rounds is not None,
        "algorithm": final.algorithm,
        "modelType": plan.task,
        "objective": plan.objective,
        "baseline": _trivial(plan),
        "classes": plan.classes,
        "rounds": final.rounds,
        **({} if state.final_rounds is None else {"finalEndedAfter": state.final_rounds}),
        **({"threshold": final.threshold.record} if final.threshold else {}),
        **_kinds(config, plan, state, final),
        "rowsTrain": len(plan.target),
        "rowsTest": len(plan.test_target),
        "numFeatures": len(plan.reader.columns),
        "features": plan.reader.names,
        "ignoredColumns": plan.ignored,
        "target": config.target or None,
        "validation": {"type": plan.strategy, "folds": len(plan.divided.folds)},
        "data": dict(plan.tables),
        "dataQuality": plan.quality.document,
    }


def _kinds(config: TabularConfig, plan: Plan, state: State, final: Final) -> dict[str, Any]:
    """Return what only some kinds of job have: several objectives, calibration, resampling, clusters."""
    found: dict[str, Any] = {}
    if len(plan.objectives) > 1:
        front = record_front(pareto_front(state.trials, plan.objectives))
        found |= {"objectives": list(plan.objectives), "paretoFront": front}
    if final.kept.calibration:
        found["calibration"] = final.kept.calibration
    if config.resampling.type != "none":
        found["resampling"] = {"type": config.resampling.type, "ratio": config.resampling.ratio}
    if final.kept.clusters:
        clusters = final.kept.clusters
        found |= {"clusters": [_without_centre(item) for item in clusters.record], **clusters.details}
        found["baselineTest"] = clusters.trivial
    return found


def _without_centre(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != "centre"}


def _trivial(plan: Plan) -> dict[str, float]:
    """Return the trivial model's scores: means over the very folds of the search, of those that every fold has."""
    folds = plan.divided.trivial
    names = [name for name in folds[0] if all(name in fold for fold in folds)]
    return {**{name: float(np.mean([fold[name] for fold in folds])) for name in names}, plan.objective: plan.baseline}


def _documents(config: TabularConfig, run: Run, plan: Plan, state: State, final: Final) -> list[str]:
    """Write what trials, splits and columns were, and return the names."""
    documents = {
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
            "rows": len(plan.target),
            "target": {"name": config.target, "task": plan.task, **target_facts(plan.target, plan.classes)},
            "columns": described(plan.columns, plan.profile, num_rows=len(plan.target)),
        },
    }
    for name, content in documents.items():
        write_json(run.artifact(name), content)
    return list(documents)


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
    if state.best is None or plan.task == CLUSTERING:  # clusters of two fits have no numbers in common
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
