"""Fits an estimator and streams its rounds: LightGBM by its callbacks, a forest ten trees at a time. In the child."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.metrics import log_loss, root_mean_squared_error

from tutelage.services.tabular.algorithms import TREES_A_ROUND
from tutelage.services.tabular.catalog import CLASSIFICATION

Report = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True, kw_only=True)
class Matrices:
    """Encoded rows of one fit; `categories` are the columns that hold codes of categories."""

    task: str
    train: Any
    target: Any
    validation: Any = None
    validation_target: Any = None
    classes: Any = None
    categories: list[int] = field(default_factory=list)

    @property
    def loss(self) -> str:
        """The curve's metric, without its split."""
        return "logloss" if self.task == CLASSIFICATION else "rmse"


@dataclass(frozen=True)
class RoundCount:
    """Rounds trained, and those after which the validation loss was best."""

    trained: int | None
    best: int | None


def learn(algorithm: str, model: Any, data: Matrices, *, early_stopping: int | None, report: Report) -> RoundCount:
    """Fit `model` in place."""
    if algorithm == "lightgbm":
        return _learn_lightgbm(model, data, early_stopping=early_stopping, report=report)
    if algorithm == "random_forest":
        return _learn_forest(model, data, early_stopping=early_stopping, report=report)
    model.fit(data.train, data.target)
    return RoundCount(None, None)


def _learn_lightgbm(model: Any, data: Matrices, *, early_stopping: int | None, report: Report) -> RoundCount:
    import lightgbm  # here: other algorithms do without it

    losses: list[float] = []
    watched = "val" if data.validation is not None else "train"

    def watch(state: Any) -> None:
        values = {f"{split}_{data.loss}": float(value) for split, _, value, _ in state.evaluation_result_list}
        losses.append(values[f"{watched}_{data.loss}"])
        report(state.iteration, values)

    sets, names = [(data.train, data.target)], ["train"]
    callbacks: list[Any] = [watch]
    if data.validation is not None:
        sets.append((data.validation, data.validation_target))
        names.append("val")
        if early_stopping:
            callbacks.append(lightgbm.early_stopping(early_stopping, verbose=False))
    model.set_params(metric=_lightgbm_metric(data))
    with warnings.catch_warnings():
        # lightgbm 4.7 deprecates eval_set, but its eval_X and eval_y refuse labels that are text
        warnings.filterwarnings("ignore", message="The argument 'eval_set' is deprecated")
        model.fit(
            data.train,
            data.target,
            eval_set=sets,
            eval_names=names,
            callbacks=callbacks,
            categorical_feature=data.categories,
        )
    return RoundCount(len(losses), int(np.argmin(losses)) + 1)


def _lightgbm_metric(data: Matrices) -> str:
    if data.task != CLASSIFICATION:
        return "rmse"
    return "binary_logloss" if len(data.classes) == 2 else "multi_logloss"


def _learn_forest(model: Any, data: Matrices, *, early_stopping: int | None, report: Report) -> RoundCount:
    """Grow a forest ten trees a round; the same trees as grown at once. Early stopping cuts back to the best round."""
    wanted = model.n_estimators
    losses: list[float] = []
    said: Any = 0.0
    for round_, size in enumerate(range(TREES_A_ROUND, wanted + TREES_A_ROUND, TREES_A_ROUND)):
        model.set_params(n_estimators=min(size, wanted)).fit(data.train, data.target)
        if data.validation is None:
            continue
        said = said + _votes(model.estimators_[round_ * TREES_A_ROUND :], data)
        losses.append(_loss(said / len(model.estimators_), data))
        report(round_, {f"val_{data.loss}": losses[-1]})
        if early_stopping and round_ - int(np.argmin(losses)) >= early_stopping:
            break
    trained = -(-len(model.estimators_) // TREES_A_ROUND)
    best = int(np.argmin(losses)) + 1 if early_stopping and losses else trained
    model.estimators_ = model.estimators_[: best * TREES_A_ROUND]
    model.n_estimators = len(model.estimators_)
    return RoundCount(trained, best)


def _votes(trees: list[Any], data: Matrices) -> Any:
    rows = np.asarray(data.validation, dtype="float32")
    votes = [tree.predict_proba(rows) if data.task == CLASSIFICATION else tree.predict(rows) for tree in trees]
    return np.sum(votes, axis=0)


def _loss(said: Any, data: Matrices) -> float:
    if data.task == CLASSIFICATION:
        return float(log_loss(data.validation_target, said, labels=data.classes))
    return float(root_mean_squared_error(data.validation_target, said))


def importance(model: Any, matrix: Any) -> Any:
    """Return one weight an encoded column: gain, impurity decrease, or |coefficient| x the column's spread."""
    if hasattr(model, "booster_"):
        return np.asarray(model.booster_.feature_importance("gain"), dtype="float64")
    if hasattr(model, "feature_importances_"):
        return np.asarray(model.feature_importances_, dtype="float64")
    weights = np.abs(np.atleast_2d(model.coef_)).mean(axis=0)
    return np.asarray(weights * np.std(matrix, axis=0), dtype="float64")
