"""The registry of algorithms: defaults, search space, how the table is encoded, what a round is.

No library is imported here: the worker reads spaces and defaults without them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from tutelage.core.errors import InvalidSpec, unknown

Params = Mapping[str, Any]
Encoding = Literal["native", "ordinal", "one_hot"]
"""How categories become numbers: codes that the learner knows as categories, plain codes, or a column a category.

Numbers are standardized with `one_hot`, and left as they are otherwise.
"""

TREES_A_ROUND = 10
"""A round of a forest, and of scikit-learn's boosting: ten trees."""


@dataclass(frozen=True)
class Dimension:
    """One numeric dimension of a search space, both bounds included."""

    low: float
    high: float
    log: bool = False
    step: int = 1
    whole: bool = True

    def suggest(self, trial: Any, name: str) -> float | int:
        """Ask an Optuna trial for a value."""
        if self.whole:
            return int(trial.suggest_int(name, int(self.low), int(self.high), step=self.step, log=self.log))
        return float(trial.suggest_float(name, self.low, self.high, log=self.log))

    def holds(self, value: Any) -> bool:
        """Tell whether a value lies in the dimension."""
        return isinstance(value, int | float) and self.low <= value <= self.high

    def nearest(self, value: Any) -> Any:
        """Return the value, moved into the bounds."""
        return type(value)(min(max(value, self.low), self.high))

    def grid(self) -> list[Any]:
        """Return three values from bound to bound, evenly on the dimension's scale."""
        middle = math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2
        values = [self.low, middle, self.high]
        if self.whole:
            values = [int(self.low + round((value - self.low) / self.step) * self.step) for value in values]
        return list(dict.fromkeys(values))


@dataclass(frozen=True)
class Choice:
    """One dimension of a search space whose values have no order."""

    values: tuple[Any, ...]

    def suggest(self, trial: Any, name: str) -> Any:
        """Ask an Optuna trial for a value."""
        return trial.suggest_categorical(name, self.values)

    def holds(self, value: Any) -> bool:
        """Tell whether a value lies in the dimension."""
        return value in self.values

    def nearest(self, value: Any) -> Any:
        """Return the value, or the first one where it is none of them."""
        return value if value in self.values else self.values[0]

    def grid(self) -> list[Any]:
        """Return the values."""
        return list(self.values)


Space = Mapping[str, Dimension | Choice]


def _real(low: float, high: float, *, log: bool = False) -> Dimension:
    return Dimension(low, high, log=log, whole=False)


def _whole(low: int, high: int) -> Dimension:
    return Dimension(low, high, log=True)


@dataclass(frozen=True)
class RoundsOf:
    """The parameter that counts rounds, and how many of its units are one."""

    param: str
    each: int = 1


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """One entry; `defaults` are the first trial. Its factory, of the same name, is in factories.py."""

    defaults: Params
    space: Space
    encoding: Encoding
    rounds: RoundsOf | None = None
    importance: str = "increase of the loss on test rows when the column is shuffled"

    def planned_rounds(self, params: Params, rounds: int | None = None) -> int:
        """Return how many rounds a fit is to have: those asked for, or those of the parameters; 1 without rounds."""
        if self.rounds is None:
            return 1
        return rounds or -(-int(params[self.rounds.param]) // self.rounds.each)

    def suggest(self, trial: Any) -> dict[str, Any]:
        """Ask an Optuna trial for a point of the space."""
        return {name: dimension.suggest(trial, name) for name, dimension in self.space.items()}


GAIN, IMPURITY, COEFFICIENT = "gain", "impurity decrease", "|coefficient| x standard deviation"
BETWEEN = "variance between clusters of the standardized columns"
FOREST: Space = {
    "n_estimators": Dimension(50, 300, step=TREES_A_ROUND),
    "max_depth": _whole(3, 32),
    "min_samples_leaf": _whole(1, 32),
    "max_features": _real(0.1, 1.0),
}
FOREST_DEFAULTS: Params = {"n_estimators": 100, "max_depth": 32, "min_samples_leaf": 1, "max_features": 0.4}

REGISTRY: Mapping[str, Algorithm] = {
    "lightgbm": Algorithm(
        defaults={
            "n_estimators": 100,
            "learning_rate": 0.1,
            "num_leaves": 31,
            "min_child_samples": 20,
            "colsample_bytree": 1.0,
            "subsample": 1.0,
            "reg_lambda": 0.001,
        },
        space={
            "n_estimators": _whole(50, 600),
            "learning_rate": _real(0.01, 0.3, log=True),
            "num_leaves": _whole(4, 128),
            "min_child_samples": _whole(5, 100),
            "colsample_bytree": _real(0.4, 1.0),
            "subsample": _real(0.5, 1.0),
            "reg_lambda": _real(0.001, 30.0, log=True),
        },
        encoding="native",
        rounds=RoundsOf("n_estimators"),
        importance=GAIN,
    ),
    "xgboost": Algorithm(
        defaults={
            "n_estimators": 100,
            "learning_rate": 0.1,
            "max_depth": 6,
            "min_child_weight": 1.0,
            "colsample_bytree": 1.0,
            "subsample": 1.0,
            "reg_lambda": 1.0,
        },
        space={
            "n_estimators": _whole(50, 600),
            "learning_rate": _real(0.01, 0.3, log=True),
            "max_depth": Dimension(2, 10),
            "min_child_weight": _real(0.5, 30.0, log=True),
            "colsample_bytree": _real(0.4, 1.0),
            "subsample": _real(0.5, 1.0),
            "reg_lambda": _real(0.001, 30.0, log=True),
        },
        encoding="native",
        rounds=RoundsOf("n_estimators"),
        importance=GAIN,
    ),
    "catboost": Algorithm(
        defaults={"iterations": 300, "learning_rate": 0.1, "depth": 6, "l2_leaf_reg": 3.0},
        space={
            "iterations": _whole(50, 1000),
            "learning_rate": _real(0.01, 0.3, log=True),
            "depth": Dimension(3, 8),
            "l2_leaf_reg": _real(0.1, 30.0, log=True),
        },
        encoding="native",
        rounds=RoundsOf("iterations"),
        importance="CatBoost's change of the prediction",
    ),
    "hist_gradient_boosting": Algorithm(
        defaults={
            "max_iter": 100,
            "learning_rate": 0.1,
            "max_leaf_nodes": 31,
            "min_samples_leaf": 20,
            "l2_regularization": 0.001,
        },
        space={
            "max_iter": Dimension(50, 600, step=TREES_A_ROUND),
            "learning_rate": _real(0.01, 0.3, log=True),
            "max_leaf_nodes": _whole(4, 128),
            "min_samples_leaf": _whole(5, 100),
            "l2_regularization": _real(0.001, 30.0, log=True),
        },
        encoding="native",
        rounds=RoundsOf("max_iter", TREES_A_ROUND),
    ),
    "gradient_boosting": Algorithm(
        defaults={
            "n_estimators": 100,
            "learning_rate": 0.1,
            "max_depth": 3,
            "min_samples_leaf": 1,
            "subsample": 1.0,
            "max_features": 1.0,
        },
        space={
            "n_estimators": Dimension(50, 300, step=TREES_A_ROUND),
            "learning_rate": _real(0.01, 0.3, log=True),
            "max_depth": Dimension(2, 8),
            "min_samples_leaf": _whole(1, 32),
            "subsample": _real(0.5, 1.0),
            "max_features": _real(0.2, 1.0),
        },
        encoding="ordinal",
        rounds=RoundsOf("n_estimators", TREES_A_ROUND),
        importance=IMPURITY,
    ),
    "random_forest": Algorithm(
        defaults=FOREST_DEFAULTS,
        space=FOREST,
        encoding="ordinal",
        rounds=RoundsOf("n_estimators", TREES_A_ROUND),
        importance=IMPURITY,
    ),
    "extra_trees": Algorithm(
        defaults=FOREST_DEFAULTS,
        space=FOREST,
        encoding="ordinal",
        rounds=RoundsOf("n_estimators", TREES_A_ROUND),
        importance=IMPURITY,
    ),
    "logistic_regression": Algorithm(
        defaults={"C": 1.0},
        space={"C": _real(0.001, 100.0, log=True)},
        encoding="one_hot",
        importance=COEFFICIENT,
    ),
    "linear_regression": Algorithm(defaults={}, space={}, encoding="one_hot", importance=COEFFICIENT),
    "ridge": Algorithm(
        defaults={"alpha": 1.0},
        space={"alpha": _real(0.001, 10_000.0, log=True)},
        encoding="one_hot",
        importance=COEFFICIENT,
    ),
    "lasso": Algorithm(
        defaults={"alpha": 0.001},
        space={"alpha": _real(0.00001, 1.0, log=True)},
        encoding="one_hot",
        importance=COEFFICIENT,
    ),
    "elastic_net": Algorithm(
        defaults={"alpha": 0.001, "l1_ratio": 0.5},
        space={"alpha": _real(0.00001, 1.0, log=True), "l1_ratio": _real(0.05, 1.0)},
        encoding="one_hot",
        importance=COEFFICIENT,
    ),
    "svm": Algorithm(
        defaults={"C": 1.0, "gamma": "scale"},
        space={"C": _real(0.01, 100.0, log=True), "gamma": Choice(("scale", 0.001, 0.01, 0.1, 1.0))},
        encoding="one_hot",
    ),
    "knn": Algorithm(
        defaults={"n_neighbors": 15, "weights": "distance"},
        space={"n_neighbors": _whole(1, 100), "weights": Choice(("uniform", "distance"))},
        encoding="one_hot",
    ),
    "naive_bayes": Algorithm(
        # on columns of 0 and 1 the library's own 1e-9 is far too sure: adult's log-loss 16.6, with 0.1 0.69
        defaults={"var_smoothing": 0.1},
        space={"var_smoothing": _real(0.0001, 10.0, log=True)},
        encoding="one_hot",
    ),
    "neural_network": Algorithm(
        defaults={
            "max_iter": 100,
            "hidden_units": 64,
            "num_layers": 2,
            "learning_rate_init": 0.003,
            "alpha": 0.001,
            "batch_size": 64,
        },
        space={
            "max_iter": _whole(20, 200),
            "hidden_units": _whole(8, 256),
            "num_layers": Dimension(1, 3),
            "learning_rate_init": _real(0.0003, 0.03, log=True),
            "alpha": _real(0.00001, 1.0, log=True),
            "batch_size": _whole(16, 512),
        },
        encoding="one_hot",
        rounds=RoundsOf("max_iter"),
    ),
    "embedding_network": Algorithm(
        defaults={
            "max_iter": 100,
            "hidden_units": 128,
            "num_layers": 2,
            "learning_rate": 0.002,
            "weight_decay": 0.01,
            "dropout": 0.1,
            "batch_size": 128,
        },
        space={
            "max_iter": _whole(20, 200),
            "hidden_units": _whole(16, 512),
            "num_layers": Dimension(1, 3),
            "learning_rate": _real(0.0003, 0.01, log=True),
            "weight_decay": _real(0.0001, 1.0, log=True),
            "dropout": _real(0.0, 0.5),
            "batch_size": _whole(32, 1024),
        },
        encoding="native",
        rounds=RoundsOf("max_iter"),
    ),
    "kmeans": Algorithm(
        defaults={"n_clusters": 8}, space={"n_clusters": _whole(2, 20)}, encoding="one_hot", importance=BETWEEN
    ),
    "dbscan": Algorithm(
        defaults={"eps_scale": 1.0, "min_samples": 5},
        space={"eps_scale": _real(0.8, 2.5, log=True), "min_samples": _whole(3, 30)},
        encoding="one_hot",
        importance=BETWEEN,
    ),
}


class Bounds(Protocol):
    """What a spec asks of one parameter."""

    low: float | None
    high: float | None
    log: bool | None
    choices: list[Any] | None


def with_space(entry: Algorithm, asked: Mapping[str, Any]) -> Algorithm:
    """Return the entry with other ranges; defaults that lie outside move to the nearest value, or the first choice."""
    for name in asked:
        if name not in entry.space:
            raise unknown("parameter in hyperparameterSearch.space", name, entry.space)
    space = {name: _asked(name, item, asked[name]) if name in asked else item for name, item in entry.space.items()}
    defaults = {name: space[name].nearest(value) for name, value in entry.defaults.items()}
    return replace(entry, space=space, defaults=defaults)


def _asked(name: str, own: Dimension | Choice, asked: Bounds) -> Dimension | Choice:
    if asked.choices is not None:
        return _choice(name, own, asked.choices)
    if isinstance(own, Choice):
        raise InvalidSpec(f"{name} has no bounds", hint=f"choices: {', '.join(map(str, own.values))}")
    low = own.low if asked.low is None else asked.low
    high = own.high if asked.high is None else asked.high
    log = own.log if asked.log is None else asked.log
    if low > high or (log and low <= 0):
        raise InvalidSpec(f"{name} cannot be searched from {low:g} to {high:g}", hint="low <= high; above 0 with log")
    if own.whole and (low != int(low) or high != int(high)):
        raise InvalidSpec(f"{name} is a whole number; got {low:g} to {high:g}", hint="give whole bounds")
    return Dimension(low, high, log=log, whole=own.whole)


def _choice(name: str, own: Dimension | Choice, values: list[Any]) -> Choice:
    if isinstance(own, Choice):
        fitting = all(value in own.values or isinstance(value, int | float) for value in values)
    else:
        fitting = all(isinstance(value, int | float) and (not own.whole or value == int(value)) for value in values)
        values = [int(value) if own.whole and fitting else value for value in values]
    if not fitting:
        raise InvalidSpec(f"{name} cannot be one of {values}", hint="give values of the parameter's own kind")
    return Choice(tuple(dict.fromkeys(values)))
