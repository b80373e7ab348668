"""The conclusion of a training: what is judged about the tested model, and the documents of a run that was refused."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tutelage.core.atomic import write_json
from tutelage.core.layout import OperationFiles
from tutelage.core.ports import Run
from tutelage.core.tracking import experiment_of
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.evaluation.document import evaluate
from tutelage.services.tabular.handoffs import recorded
from tutelage.services.tabular.plan import Plan
from tutelage.services.tabular.report.final import Final
from tutelage.services.tabular.report.gates import judge_gates, unmet_sentences
from tutelage.services.tabular.report.result import cross_validation
from tutelage.services.tabular.search.state import State, Trial

EVALUATION = "evaluation.json"
INTERVALS = "intervals of evaluation.json"


def conclude(
    config: TabularConfig,
    run: Run,
    plan: Plan,
    final: Final,
    result: Mapping[str, Any],
    *,
    deadline_s: float | None = None,
) -> dict[str, Any]:
    """Return the result document with the evaluation written, the gates judged, and what hand-offs had changed.

    Intervals of the evaluation that `deadline_s` (on `time.monotonic()`'s clock) leaves no time for are null, which
    `metadata.artifactsSkipped` says.
    """
    judged = {**result, "artifacts": list(result["artifacts"])}
    document = evaluate(config, plan, final, judged, seed=run.seed, deadline_s=deadline_s)
    if deadline_s is not None and time.monotonic() > deadline_s:
        skipped = {**result["metadata"]["artifactsSkipped"], INTERVALS: "the time limit was reached: fewer or none"}
        judged["metadata"] = {**result["metadata"], "artifactsSkipped": skipped}
    if document is not None:
        write_json(run.artifact(EVALUATION), document)
        judged["artifacts"].append(f"artifacts/{EVALUATION}")
    return with_gates(config, run, judged)


def with_gates(config: TabularConfig, run: Run, result: Mapping[str, Any]) -> dict[str, Any]:
    """Judge the gates and say which are not met; enter what hand-offs had changed."""
    result = {**result, "metadata": {**result["metadata"], **recorded(run)}}
    judged = judge_gates(config.gates, result)
    for sentence in unmet_sentences(judged):
        run.log(f"gate not met: {sentence}", level="warning")
    return {**result, **judged}


def untrained_result(config: TabularConfig, run: Run, plan: Plan, state: State, chosen: Trial) -> dict[str, Any]:
    """Return the document of a search whose final fit was refused: its best trial, and no model."""
    return {
        "success": True,
        "modelPath": None,
        "metrics": {"test": {}, "crossValidation": cross_validation(chosen)},
        "bestParams": chosen.params,
        "featureImportance": {},
        "experiment": experiment_of(OperationFiles(run.dir)),
        "metadata": {
            "trainingTime": round(state.work_s, 3),
            "nTrials": len(state.trials),
            "bestTrialNumber": chosen.number,
            "stoppedEarly": state.stopped,
            "algorithm": plan.algorithm,
            "modelType": plan.task,
            "objective": plan.objective,
            "baseline": {plan.objective: plan.baseline},
            "target": config.target or None,
            "rowsUsed": len(plan.target),
            "data": dict(plan.tables),
            "dataQuality": plan.quality.document,
        },
        "artifacts": [],
        **({"unrecognized": config.unrecognized} if config.unrecognized else {}),
    }


def final_question(plan: Plan, state: State, chosen: Trial) -> str:
    """Return what is asked before the final fit."""
    scores = chosen.summary().get(plan.objective)
    found = f"{plan.objective} {scores['mean']:.5g} ± {scores['std']:.2g}" if scores else "no fold was scored"
    return f"Train the final model? Trial {chosen.number} of {len(state.trials)} has {found} over the folds."


def release_question(result: Mapping[str, Any]) -> str:
    """Return what is asked before the release."""
    objective = result["metadata"]["objective"]
    value = result["metrics"]["test"].get(objective)
    shown = f"{objective} {value:.5g}" if value is not None else f"no {objective}"
    unmet = unmet_sentences(result)
    gates = f"Gates not met: {'; '.join(unmet)}." if unmet else ("All gates are met." if result.get("gates") else "")
    return f"Release the model? The test gave {shown}. {gates}".strip()
