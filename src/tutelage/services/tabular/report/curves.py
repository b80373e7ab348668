"""`curves.json`: the numbers of every picture, so that programs can read what people look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.services.tabular.catalog import CLASSIFICATION, REGRESSION, direction_of, is_better
from tutelage.services.tabular.models.algorithms import REGISTRY
from tutelage.services.tabular.models.thresholds import HALF, decide
from tutelage.services.tabular.plan import Plan
from tutelage.services.tabular.report import evaluation
from tutelage.services.tabular.report.final import Final
from tutelage.services.tabular.search.state import State, Trial

PLOTS = "tutelage.services.tabular.report.plots"
ROUNDS = {"neural_network": "epoch", "embedding_network": "epoch"}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One plot: its file, the dotted path of what draws it, and the numbers in it."""

    file: str
    draw: str
    data: dict[str, Any]


def pictures(plan: Plan, state: State, final: Final, *, target: str, seed: int) -> dict[str, Picture]:
    """Return every plot that these predictions, rounds and trials make; what they lack is left out."""
    test = f"{final.algorithm}, {len(plan.test_target):,} test rows"
    found: dict[str, Picture] = {}
    if plan.task == CLASSIFICATION:
        found.update(_of_classes(plan, final, about=test))
    elif plan.task == REGRESSION:
        said = np.asarray(final.kept.test_predictions)
        data = {"about": test, "target": target}
        data |= evaluation.residuals(np.asarray(plan.test_target), said, seed=seed)
        found["residuals"] = Picture(file="residuals.png", draw=f"{PLOTS}.numbers:draw_residuals", data=data)
    learning = _learning(plan, final)
    if learning:
        draw = f"{PLOTS}.training:draw_learning_curve"
        found["learning"] = Picture(file="learning_curve.png", draw=draw, data=learning)
    if any(trial.folds for trial in state.trials):
        draw = f"{PLOTS}.training:draw_history"
        found["search"] = Picture(file="optimization_history.png", draw=draw, data=_search(plan, state))
    return found


def _of_classes(plan: Plan, final: Final, *, about: str) -> Iterator[tuple[str, Picture]]:
    truth, said = np.asarray(plan.test_target), np.asarray(final.kept.test_predictions)
    counts = {name: int((truth == name).sum()) for name in plan.classes}
    known = [name for name in plan.classes if 0 < counts[name] < len(truth)]
    binary = len(plan.classes) == 2
    shown = plan.classes[1:] if binary else known
    if known:
        places = {name: plan.classes.index(name) for name in shown}
        rocs = {str(name): evaluation.roc(truth == name, said[:, place]) for name, place in places.items()}
        more: dict[str, Any] = {"about": _told(about, plan, counts)}
        if binary:
            threshold = final.threshold.value if final.threshold else HALF
            more["decision"] = evaluation.decision(truth == shown[0], said[:, 1], threshold)
        means = {} if binary else {"macro": evaluation.mean_roc(truth, said[:, list(places.values())], known)}
        data = {**more, "classes": rocs, **means}
        yield "roc", Picture(file="roc_curve.png", draw=f"{PLOTS}.classes:draw_roc", data=data)
        found = {
            str(name): evaluation.precision_recall(truth == name, said[:, place]) for name, place in places.items()
        }
        areas = [curve["average_precision"] for curve in found.values()]
        means = {} if binary else {"macro": {"average_precision": float(np.mean(areas))}}
        data = {**more, "classes": found, **means}
        draw = f"{PLOTS}.classes:draw_precision_recall"
        yield "precision_recall", Picture(file="precision_recall.png", draw=draw, data=data)
    yield "calibration", _calibration(plan, truth, said, about=about)
    yield "confusion", _confusion(plan, final, truth, about=about)


def _confusion(plan: Plan, final: Final, truth: Any, *, about: str) -> Picture:
    threshold = final.threshold.value if final.threshold else None
    said = decide(final.kept.test_predictions, np.asarray(plan.classes), threshold)
    counts = evaluation.confusion_counts(truth, said, plan.classes)
    data = {"about": about, "classes": plan.classes, "counts": counts.tolist()}
    return Picture(file="confusion_matrix.png", draw=f"{PLOTS}.confusion:draw_confusion", data=data)


def _told(about: str, plan: Plan, counts: dict[Any, int]) -> str:
    if len(plan.classes) == 2:
        return f"{about}, {counts[plan.classes[1]]:,} of them {plan.classes[1]!r}"
    return f"{about}, {len(plan.classes)} classes, one against the rest"


def _calibration(plan: Plan, truth: Any, said: Any, *, about: str) -> Picture:
    """Two classes: of the second one's probability; several: of the most probable class's."""
    if len(plan.classes) == 2:
        happened, probabilities = truth == plan.classes[1], said[:, 1]
        names = {"predicted": f"predicted probability of {plan.classes[1]!r}", "observed": "observed share"}
    else:
        happened = np.asarray(plan.classes)[said.argmax(axis=1)] == truth
        probabilities = said.max(axis=1)
        names = {"predicted": "probability of the most probable class", "observed": "share where it was right"}
    data = {"about": about, **names, **evaluation.calibration(happened, probabilities)}
    return Picture(file="calibration.png", draw=f"{PLOTS}.classes:draw_calibration", data=data)


def _learning(plan: Plan, final: Final) -> dict[str, Any] | None:
    """Return the final fit's losses by round, or None for an algorithm without rounds."""
    name = "logloss" if plan.task == CLASSIFICATION else "rmse"
    points = [(step, values) for step, values in final.curve if f"val_{name}" in values]
    counted = REGISTRY[final.algorithm].rounds
    if counted is None or len(points) < 2:
        return None
    train, held = plan.divided.final
    unit = ROUNDS.get(final.algorithm, "round" if counted.each == 1 else f"round of {counted.each} trees")
    steps = [step for step, _ in points]
    kept = None if final.rounds is None else final.rounds - 1
    return {
        "about": f"{final.algorithm}, {len(train):,} training and {len(held):,} validation rows",
        "loss": "log-loss, nats" if name == "logloss" else "RMSE, in the target's unit",
        "unit_of_round": f"{unit}, from 0",
        "round": steps,
        "train": [values[f"train_{name}"] for _, values in points if f"train_{name}" in values],
        "validation": [values[f"val_{name}"] for _, values in points],
        "kept": kept if kept in steps else None,
    }


def _search(plan: Plan, state: State) -> dict[str, Any]:
    best: float | None = None
    trials = []
    for trial in state.trials:
        if trial.value is not None and (best is None or is_better(plan.objective, trial.value, best)):
            best = trial.value
        trials.append({"number": trial.number, "state": trial.state, **_scored(plan, trial), "best": best})
    up = direction_of(plan.objective) == "maximize"
    lost = sum(trial.state == "failed" for trial in state.trials)
    pruned = sum(trial.state == "pruned" for trial in state.trials)
    ended = f"{pruned} pruned, {lost} lost"
    return {
        "about": f"{plan.algorithm}, {len(trials)} trials of {len(plan.divided.folds)} folds, {ended}",
        "label": f"{plan.objective}, mean over folds ({'higher' if up else 'lower'} is better)",
        "baseline": plan.baseline,
        "trials": trials,
    }


def _scored(plan: Plan, trial: Trial) -> dict[str, float | None]:
    """Return a trial's mean over the folds that it finished, and their deviation."""
    scores = [fold[plan.objective] for fold in trial.folds if plan.objective in fold]
    return {
        "value": float(np.mean(scores)) if scores else None,
        "std": float(np.std(scores)) if scores else None,
    }
