"""Fits an estimator and streams its rounds: by callbacks, ten trees at a time, or by epochs. In the child."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.metrics import log_loss, root_mean_squared_error

from tutelage.services.tabular.catalog import CLASSIFICATION
from tutelage.services.tabular.models.algorithms import REGISTRY, TREES_A_ROUND
from tutelage.services.tabular.models.pipeline import predict
from tutelage.services.tabular.models.rounds import Deadline, Report, RoundCount
from tutelage.services.tabular.models.wrappers import CodedClassifier, ScaledTarget, inner

MAX_HIST_CATEGORIES = 255
EPOCHS_OF_PATIENCE = 20
"""A neural network ends after so many epochs without a better validation loss, where nothing else was asked for."""


@dataclass(frozen=True, kw_only=True)
class Matrices:
    """Encoded rows of one fit; `categories` are the columns that hold codes of categories."""

    task: str
    train: Any
    target: Any
    validation: Any = None
    validation_target: Any = None
    weights: Any = None
    validation_weights: Any = None
    classes: Any = None
    categories: list[int] = field(default_factory=list)

    @property
    def loss(self) -> str:
        """The curve's metric, without its split."""
        return "logloss" if self.task == CLASSIFICATION else "rmse"

    @property
    def weighed(self) -> dict[str, Any]:
        """The argument of `fit` where rows have weights."""
        return {} if self.weights is None else {"sample_weight": self.weights}


def learn(
    algorithm: str,
    model: Any,
    data: Matrices,
    *,
    early_stopping: int | None,
    report: Report,
    deadline: Deadline | None = None,
) -> RoundCount:
    """Fit `model` in place; what learns in rounds ends with the last one before the deadline and keeps those."""
    learner = LEARNERS.get(algorithm)
    if learner:
        return learner(model, data, early_stopping=early_stopping, report=report, deadline=deadline or Deadline())
    if algorithm == "knn":
        own = inner(model)
        own.set_params(n_neighbors=min(own.n_neighbors, len(data.target)))
    model.fit(data.train, data.target, **data.weighed)
    return RoundCount(None, None)


def _learn_lightgbm(
    model: Any, data: Matrices, *, early_stopping: int | None, report: Report, deadline: Deadline
) -> RoundCount:
    import lightgbm  # here: other algorithms do without it

    losses: list[float] = []
    watched = "val" if data.validation is not None else "train"

    def watch(state: Any) -> None:
        values = {f"{split}_{data.loss}": float(value) for split, _, value, _ in state.evaluation_result_list}
        losses.append(values[f"{watched}_{data.loss}"])
        report(state.iteration, values)
        if deadline.is_near():  # the library's own way to end; it predicts with the rounds up to the one named
            kept = int(np.argmin(losses)) if early_stopping else state.iteration
            raise lightgbm.callback.EarlyStopException(kept, state.evaluation_result_list)

    sets, names, weights = [(data.train, data.target)], ["train"], [data.weights]
    callbacks: list[Any] = [watch]
    if data.validation is not None:
        sets.append((data.validation, data.validation_target))
        names.append("val")
        weights.append(data.validation_weights)
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
            eval_sample_weight=None if data.weights is None else weights,
            callbacks=callbacks,
            categorical_feature=data.categories,
            **data.weighed,
        )
    return RoundCount(len(losses), int(np.argmin(losses)) + 1)


def _lightgbm_metric(data: Matrices) -> str:
    if data.task != CLASSIFICATION:
        return "rmse"
    return "binary_logloss" if len(data.classes) == 2 else "multi_logloss"


def _learn_xgboost(
    model: Any, data: Matrices, *, early_stopping: int | None, report: Report, deadline: Deadline
) -> RoundCount:
    from tutelage.services.tabular.models.xgboost_rounds import XgboostRounds  # here: it needs the library

    own = inner(model)
    patience = early_stopping if data.validation is not None else None
    rounds = XgboostRounds(data.loss, report, patience, deadline)
    sets, weights = _sets(model, data)
    metric = "rmse" if data.task != CLASSIFICATION else "logloss" if len(np.unique(data.target)) == 2 else "mlogloss"
    kinds = ["c" if column in data.categories else "q" for column in range(data.train.shape[1])]
    own.set_params(eval_metric=metric, callbacks=[rounds], feature_types=kinds)
    more = {} if data.weights is None else {"sample_weight_eval_set": weights}
    model.fit(data.train, data.target, eval_set=sets, verbose=False, **data.weighed, **more)
    own.set_params(callbacks=None)
    return rounds.count


def _sets(model: Any, data: Matrices) -> tuple[list[tuple[Any, Any]], list[Any]]:
    """Return the sets to evaluate, labels as codes where the model wants them, without classes it is not trained on."""
    sets, weights = [(data.train, data.target)], [data.weights]
    if data.validation is not None:
        sets.append((data.validation, data.validation_target))
        weights.append(data.validation_weights)
    if not isinstance(model, CodedClassifier):
        return sets, weights
    known = np.unique(data.target)
    masks = [np.isin(target, known) for _, target in sets]
    coded = [
        (rows[mask], np.searchsorted(known, target[mask])) for (rows, target), mask in zip(sets, masks, strict=True)
    ]
    return coded, [item if item is None else item[mask] for item, mask in zip(weights, masks, strict=True)]


class _CatboostRounds:
    """Reports CatBoost's rounds and ends them at a deadline."""

    def __init__(self, loss: str, report: Report, deadline: Deadline) -> None:
        self._loss, self._report, self._deadline = loss, report, deadline
        self._watched: list[float] = []

    def after_iteration(self, info: Any) -> bool:
        """Take one round's losses; False ends the training."""
        splits = (("train", "learn"), ("val", "validation"))
        found = {ours: info.metrics[theirs] for ours, theirs in splits if theirs in info.metrics}
        values = {f"{split}_{self._loss}": float(next(iter(items.values()))[-1]) for split, items in found.items()}
        self._watched.append(values.get(f"val_{self._loss}", values[f"train_{self._loss}"]))
        self._report(info.iteration - 1, values)
        return not self._deadline.is_near()

    @property
    def count(self) -> RoundCount:
        """Rounds trained and the best one."""
        return RoundCount(len(self._watched), int(np.argmin(self._watched)) + 1)


def _learn_catboost(
    model: Any, data: Matrices, *, early_stopping: int | None, report: Report, deadline: Deadline
) -> RoundCount:
    rounds = _CatboostRounds(data.loss, report, deadline)
    model.set_params(loss_function=_catboost_loss(data))
    more: dict[str, Any] = {}
    if data.validation is not None:
        known = np.isin(data.validation_target, np.unique(data.target)) if data.task == CLASSIFICATION else slice(None)
        more["eval_set"] = (data.validation[known], data.validation_target[known])
        more["early_stopping_rounds"] = early_stopping
        more["use_best_model"] = bool(early_stopping)
    model.fit(data.train, data.target, callbacks=[rounds], **data.weighed, **more)
    return rounds.count


def _catboost_loss(data: Matrices) -> str:
    if data.task != CLASSIFICATION:
        return "RMSE"
    return "Logloss" if len(np.unique(data.target)) == 2 else "MultiClass"


def _learn_forest(
    model: Any, data: Matrices, *, early_stopping: int | None, report: Report, deadline: Deadline
) -> RoundCount:
    """Grow a forest ten trees a round; the same trees as grown at once. Early stopping cuts back to the best round."""
    wanted = model.n_estimators
    losses: list[float] = []
    said: Any = 0.0
    for round_, size in enumerate(range(TREES_A_ROUND, wanted + TREES_A_ROUND, TREES_A_ROUND)):
        model.set_params(n_estimators=min(size, wanted)).fit(data.train, data.target, **data.weighed)
        if data.validation is not None:
            said = said + _votes(model.estimators_[round_ * TREES_A_ROUND :], data)
            losses.append(_loss(said / len(model.estimators_), data))
            report(round_, {f"val_{data.loss}": losses[-1]})
        if deadline.is_near():
            break
        if early_stopping and losses and round_ - int(np.argmin(losses)) >= early_stopping:
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


def _learn_boosting(
    model: Any, data: Matrices, *, early_stopping: int | None, report: Report, deadline: Deadline
) -> RoundCount:
    """Boost ten trees a round; where it stops early, the best round's trees are kept."""
    param = "max_iter" if hasattr(model, "max_iter") else "n_estimators"
    if param == "max_iter":
        model.set_params(categorical_features=_small_categories(data))
    wanted = model.get_params()[param]
    losses: list[float] = []
    best_state: dict[str, Any] = {}
    for round_, size in enumerate(range(TREES_A_ROUND, wanted + TREES_A_ROUND, TREES_A_ROUND)):
        model.set_params(**{param: min(size, wanted)}).fit(data.train, data.target, **data.weighed)
        losses.append(_report_both(model, data, round_, report))
        if early_stopping and data.validation is not None:
            if losses[-1] == min(losses):
                best_state = copy.deepcopy(vars(model))
            if round_ - int(np.argmin(losses)) >= early_stopping:
                break
        if deadline.is_near():
            break
    vars(model).update(best_state)
    return RoundCount(len(losses), int(np.argmin(losses)) + 1)


def _small_categories(data: Matrices) -> list[int]:
    """Return the columns of categories that a histogram has bins for; the others stay ordered codes."""
    return [column for column in data.categories if np.nanmax(data.train[:, column], initial=0) < MAX_HIST_CATEGORIES]


def _report_both(model: Any, data: Matrices, round_: int, report: Report) -> float:
    """Report the losses after a round and return the watched one."""
    train = _loss(predict(model, data.train, data.classes), data, of="train")
    values = {f"train_{data.loss}": train}
    if data.validation is not None:
        values[f"val_{data.loss}"] = _loss(predict(model, data.validation, data.classes), data)
    report(round_, values)
    return values.get(f"val_{data.loss}", train)


def _learn_network(
    model: Any, data: Matrices, *, early_stopping: int | None, report: Report, deadline: Deadline
) -> RoundCount:
    """Train an epoch at a time; the weights of the epoch with the best validation loss are kept."""
    own = inner(model)
    target = model.scale(data.target) if isinstance(model, ScaledTarget) else data.target
    own.set_params(batch_size=min(own.batch_size, len(target)))
    more = {**data.weighed, **({"classes": data.classes} if data.task == CLASSIFICATION else {})}
    losses: list[float] = []
    best: Any = None
    for epoch in range(own.max_iter):
        own.partial_fit(data.train, target, **more)
        more.pop("classes", None)
        losses.append(_report_both(model, data, epoch, report))
        if data.validation is not None and losses[-1] == min(losses):
            best = copy.deepcopy((own.coefs_, own.intercepts_))
        if deadline.is_near():
            break
        if data.validation is not None and epoch - int(np.argmin(losses)) >= (early_stopping or EPOCHS_OF_PATIENCE):
            break
    if best is not None:
        own.coefs_, own.intercepts_ = best
    return RoundCount(len(losses), int(np.argmin(losses)) + 1)


def _learn_embedding_network(
    model: Any, data: Matrices, *, early_stopping: int | None, report: Report, deadline: Deadline
) -> RoundCount:
    """Train an epoch at a time on the training layer; the weights of the best epoch are kept."""
    from tutelage.services.tabular.models.network_learning import train_network  # torch: only this algorithm needs it

    own = inner(model)
    losses: list[float] = []

    def epoch() -> tuple[float, bool]:
        losses.append(_report_both(model, data, len(losses), report))
        return losses[-1], deadline.is_near()

    is_held = data.validation is not None
    train_network(
        own,
        data.train,
        model.scale(data.target) if isinstance(model, ScaledTarget) else data.target,
        classes=data.classes,
        categories=data.categories,
        weights=data.weights,
        epoch=epoch,
        patience=(early_stopping or EPOCHS_OF_PATIENCE) if is_held else None,
        keep_best=is_held,
    )
    return RoundCount(len(losses), int(np.argmin(losses)) + 1)


def _loss(said: Any, data: Matrices, *, of: str = "validation") -> float:
    held = of == "validation"
    truth, weights = (data.validation_target, data.validation_weights) if held else (data.target, data.weights)
    if data.task == CLASSIFICATION:
        return float(log_loss(truth, said, labels=data.classes, sample_weight=weights))
    return float(root_mean_squared_error(truth, said))


LEARNERS: dict[str, Callable[..., RoundCount]] = {
    "lightgbm": _learn_lightgbm,
    "xgboost": _learn_xgboost,
    "catboost": _learn_catboost,
    "random_forest": _learn_forest,
    "extra_trees": _learn_forest,
    "gradient_boosting": _learn_boosting,
    "hist_gradient_boosting": _learn_boosting,
    "neural_network": _learn_network,
    "embedding_network": _learn_embedding_network,
}
assert set(LEARNERS) == {name for name, entry in REGISTRY.items() if entry.rounds}, "what has rounds streams them"
