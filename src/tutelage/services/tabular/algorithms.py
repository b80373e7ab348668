"""The registry of algorithms: defaults, search space, how the table is encoded, the estimator's factory.

The libraries are imported in the factories: the worker reads spaces and defaults without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tutelage.services.tabular.catalog import CLASSIFICATION

Params = Mapping[str, Any]
Encoding = Literal["native", "ordinal", "one_hot"]
"""How categories become numbers: codes that the learner knows as categories, plain codes, or a column a category."""

TREES_A_ROUND = 10
"""A forest's round: ten trees."""


@dataclass(frozen=True)
class Dimension:
    """One dimension of a search space, both bounds included."""

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


def _real(low: float, high: float, *, log: bool = False) -> Dimension:
    return Dimension(low, high, log=log, whole=False)


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """One entry: `build(task, params, seed, threads)` makes the estimator; `defaults` are the first trial."""

    defaults: Params
    space: Mapping[str, Dimension]
    encoding: Encoding
    build: Callable[[str, Params, int, int], Any]

    def suggest(self, trial: Any) -> dict[str, Any]:
        """Ask an Optuna trial for a point of the space."""
        return {name: dimension.suggest(trial, name) for name, dimension in self.space.items()}


def _lightgbm(task: str, params: Params, seed: int, threads: int) -> Any:
    import lightgbm

    kind = lightgbm.LGBMClassifier if task == CLASSIFICATION else lightgbm.LGBMRegressor
    fixed: dict[str, Any] = {"deterministic": True, "force_row_wise": True, "subsample_freq": 1, "verbosity": -1}
    return kind(random_state=seed, n_jobs=threads, **fixed, **params)


def _random_forest(task: str, params: Params, seed: int, threads: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestClassifier if task == CLASSIFICATION else RandomForestRegressor
    return kind(random_state=seed, n_jobs=threads, warm_start=True, **params)


def _logistic_regression(task: str, params: Params, seed: int, threads: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000, random_state=seed, **params)


def _ridge(task: str, params: Params, seed: int, threads: int) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(random_state=seed, **params)


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
            "n_estimators": Dimension(50, 600, log=True),
            "learning_rate": _real(0.01, 0.3, log=True),
            "num_leaves": Dimension(4, 128, log=True),
            "min_child_samples": Dimension(5, 100, log=True),
            "colsample_bytree": _real(0.4, 1.0),
            "subsample": _real(0.5, 1.0),
            "reg_lambda": _real(0.001, 30.0, log=True),
        },
        encoding="native",
        build=_lightgbm,
    ),
    "random_forest": Algorithm(
        defaults={"n_estimators": 100, "max_depth": 32, "min_samples_leaf": 1, "max_features": 0.4},
        space={
            "n_estimators": Dimension(50, 300, step=TREES_A_ROUND),
            "max_depth": Dimension(3, 32, log=True),
            "min_samples_leaf": Dimension(1, 32, log=True),
            "max_features": _real(0.1, 1.0),
        },
        encoding="ordinal",
        build=_random_forest,
    ),
    "logistic_regression": Algorithm(
        defaults={"C": 1.0},
        space={"C": _real(0.001, 100.0, log=True)},
        encoding="one_hot",
        build=_logistic_regression,
    ),
    "ridge": Algorithm(
        defaults={"alpha": 1.0},
        space={"alpha": _real(0.001, 10_000.0, log=True)},
        encoding="one_hot",
        build=_ridge,
    ),
}
