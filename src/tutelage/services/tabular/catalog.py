"""The names of `tabular`: algorithms, strategies, samplers, metrics; what is built and what is planned.

Imports no ML library: the declaration, the config and the document reader stand on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from tutelage.core.errors import NotYet, unknown
from tutelage.core.service import Direction, Metric

CLASSIFICATION, REGRESSION = "classification", "regression"
TASKS = (CLASSIFICATION, REGRESSION)
AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class AlgorithmName:
    """What may be asked of an algorithm before any library is imported."""

    tasks: tuple[str, ...] = TASKS
    has_rounds: bool = False
    takes_weights: bool = True
    module: str | None = None
    package: str = ""

    @property
    def is_installed(self) -> bool:
        """Whether the library beyond scikit-learn that it needs is there."""
        return self.module is None or find_spec(self.module) is not None


ALGORITHMS: Mapping[str, AlgorithmName] = {
    "lightgbm": AlgorithmName(has_rounds=True),
    "xgboost": AlgorithmName(has_rounds=True, module="xgboost", package="xgboost-cpu"),
    "catboost": AlgorithmName(has_rounds=True, module="catboost", package="catboost"),
    "hist_gradient_boosting": AlgorithmName(has_rounds=True),
    "gradient_boosting": AlgorithmName(has_rounds=True),
    "random_forest": AlgorithmName(has_rounds=True),
    "extra_trees": AlgorithmName(has_rounds=True),
    "logistic_regression": AlgorithmName(tasks=(CLASSIFICATION,)),
    "linear_regression": AlgorithmName(tasks=(REGRESSION,)),
    "ridge": AlgorithmName(tasks=(REGRESSION,)),
    "lasso": AlgorithmName(tasks=(REGRESSION,)),
    "elastic_net": AlgorithmName(tasks=(REGRESSION,)),
    "svm": AlgorithmName(),
    "knn": AlgorithmName(takes_weights=False),
    "naive_bayes": AlgorithmName(tasks=(CLASSIFICATION,)),
    "neural_network": AlgorithmName(has_rounds=True),
}

ALIASES: Mapping[str, Mapping[str, str]] = {
    "algorithm": {
        "logistic": "logistic_regression",
        "linear": "linear_regression",
        "elasticnet": "elastic_net",
        "rf": "random_forest",
        "et": "extra_trees",
        "gbm": "gradient_boosting",
        "gb": "gradient_boosting",
        "lgbm": "lightgbm",
        "lgb": "lightgbm",
        "xgb": "xgboost",
        "hgb": "hist_gradient_boosting",
        "hist_gbm": "hist_gradient_boosting",
        "svc": "svm",
        "svr": "svm",
        "k_nn": "knn",
        "nb": "naive_bayes",
        "mlp": "neural_network",
        "nn": "neural_network",
    },
    "validation strategy": {
        "stratified": "stratified_kfold",
        "group_kfold": "group",
        "stratified_group_kfold": "group",
        "repeated_kfold": "repeated",
        "repeated_stratified_kfold": "repeated",
        "leave_one_out": "loo",
        "time_series": "timeseries",
        "time_series_split": "timeseries",
    },
}

PLANNED: Mapping[str, frozenset[str]] = {
    "model type": frozenset({"clustering", "time_series"}),
    "algorithm": frozenset(
        {
            *("ebm", "kmeans", "dbscan", "naive", "seasonal_naive", "ets", "arima", "sarimax", "lstm", "prophet"),
        }
    ),
    "validation strategy": frozenset({"holdout"}),
    "sampler": frozenset({"nsgaii"}),
    "key": frozenset(
        {
            "horizon",
            *("sensitiveFeatures", "ensemble", "gates", "approval", "strategy"),
            *("searchSpace", "resampling", "edaDocument", "evaluatorFeedback"),
        }
    ),
}
"""Parts of the contract that are refused by name until they are built."""

STRATEGIES = ("stratified_kfold", "kfold", "group", "repeated", "loo", "timeseries")
DEFAULT_FOLDS, DEFAULT_REPEATS, MAX_LOO_ROWS = 5, 3, 200
LOO_METRICS = ("accuracy", "log_loss", "rmse", "mae")
"""Scores that a single held-out row has."""

SAMPLERS = ("tpe", "random", "grid", "cmaes", "qmc", "gp")
SAMPLER_NEEDS = {"cmaes": "cmaes", "gp": "torch"}
PRUNERS = ("median", "hyperband", "successive_halving", "percentile", "wilcoxon", "none")


def is_installed(module: str) -> bool:
    """Tell whether a library is there, without importing it."""
    return find_spec(module) is not None


def algorithms_for(task: str) -> list[str]:
    """Return the algorithms that do a task."""
    return [name for name, entry in ALGORITHMS.items() if task in entry.tasks]


def resolve(kind: str, name: str, allowed: tuple[str, ...]) -> str:
    """Return the name behind `name`. Raises NotYet for a planned one, UnknownName with the nearest match else."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    found = ALIASES.get(kind, {}).get(plain, plain)
    if found in allowed:
        return found
    planned = PLANNED.get(kind, frozenset())
    if found in planned:
        raise NotYet(f"the {kind} {found!r} is not built yet", hint=f"built: {', '.join(allowed)}")
    raise unknown(kind, name, {*allowed, *planned, *ALIASES.get(kind, {})})


CLASSIFICATION_METRICS = (
    Metric(
        name="roc_auc", direction="maximize", about="area under the ROC curve; one-vs-rest macro for several classes"
    ),
    Metric(name="accuracy", direction="maximize", about="share of rows whose class was predicted"),
    Metric(
        name="precision", direction="maximize", about="of the second class in sorted order; macro for several classes"
    ),
    Metric(name="recall", direction="maximize", about="of the second class in sorted order; macro for several classes"),
    Metric(name="f1", direction="maximize", about="harmonic mean of precision and recall; macro for several classes"),
    Metric(
        name="log_loss", direction="minimize", unit="nats", about="mean negative log of the true class's probability"
    ),
)
REGRESSION_METRICS = (
    Metric(name="rmse", direction="minimize", unit="target", about="root of the mean squared error"),
    Metric(name="mae", direction="minimize", unit="target", about="mean absolute error"),
    Metric(name="r2", direction="maximize", about="share of the target's variance that is explained"),
)
CURVES = (
    Metric(name="train_logloss", direction="minimize", unit="nats", about="log-loss on the rows trained on, by round"),
    Metric(
        name="val_logloss",
        direction="minimize",
        unit="nats",
        pairs="train_logloss",
        about="log-loss on the rows held out, by round",
    ),
    Metric(name="train_rmse", direction="minimize", unit="target", about="RMSE on the rows trained on, by round"),
    Metric(
        name="val_rmse",
        direction="minimize",
        unit="target",
        pairs="train_rmse",
        about="RMSE on the rows held out, by round",
    ),
)
TIMES = (Metric(name="fit_s", unit="s", about="wall time of one fit with its scoring"),)
SCORES: Mapping[str, tuple[Metric, ...]] = {CLASSIFICATION: CLASSIFICATION_METRICS, REGRESSION: REGRESSION_METRICS}
GLOSSARY = (*CLASSIFICATION_METRICS, *REGRESSION_METRICS, *CURVES, *TIMES)


def is_better(metric: str, value: float, than: float) -> bool:
    """Tell whether `value` of a declared metric is strictly better."""
    return value > than if direction_of(metric) == "maximize" else value < than


def direction_of(metric: str) -> Direction:
    """Return the declared direction of a score."""
    direction = next(item.direction for item in GLOSSARY if item.name == metric)
    assert direction is not None, "every score has a direction"
    return direction


def default_metric(task: str, num_classes: int, *, strategy: str) -> str:
    """Return the objective where the spec names none: RMSE, ROC AUC, or log-loss for several classes and for loo."""
    if task == REGRESSION:
        return "rmse"
    return "roc_auc" if num_classes == 2 and strategy != "loo" else "log_loss"


AUTO_MIN_ROWS = 500


def choose_algorithm(num_rows: int) -> str:
    """Return what `auto` means: gradient boosting, or a random forest below 500 training rows.

    Boosted trees lead the public benchmarks of tables; on a few hundred rows they overfit where a forest does not.
    """
    return "lightgbm" if num_rows >= AUTO_MIN_ROWS else "random_forest"
