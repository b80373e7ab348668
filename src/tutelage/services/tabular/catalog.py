"""The names of `tabular`: algorithms, strategies, samplers, metrics; what is built and what is planned.

Imports no ML library: the declaration, the config and the document reader stand on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from tutelage.core.errors import MissingDependency, NotYet, unknown
from tutelage.core.service import Direction, Metric

CLASSIFICATION, REGRESSION, CLUSTERING = "classification", "regression", "clustering"
SUPERVISED = (CLASSIFICATION, REGRESSION)
TASKS = (*SUPERVISED, CLUSTERING)
AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class AlgorithmName:
    """What may be asked of an algorithm before any library is imported."""

    tasks: tuple[str, ...] = SUPERVISED
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
    "embedding_network": AlgorithmName(has_rounds=True, module="torch", package="'tutelage[torch]'"),
    "kmeans": AlgorithmName(tasks=(CLUSTERING,), takes_weights=False),
    "dbscan": AlgorithmName(tasks=(CLUSTERING,), takes_weights=False),
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
        "torch": "embedding_network",
        "k_means": "kmeans",
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
    "model type": frozenset({"time_series"}),
    "algorithm": frozenset(
        {
            *("ebm", "naive", "seasonal_naive", "ets", "arima", "sarimax", "lstm", "prophet"),
        }
    ),
    "validation strategy": frozenset({"holdout"}),
    "key": frozenset(
        {
            "horizon",
            *("ensemble", "searchSpace"),
        }
    ),
}
"""Parts of the contract that are refused by name until they are built."""

STRATEGIES = ("stratified_kfold", "kfold", "group", "repeated", "loo", "timeseries")
DEFAULT_FOLDS, DEFAULT_REPEATS, MAX_LOO_ROWS = 5, 3, 200
LOO_METRICS = ("accuracy", "log_loss", "rmse", "mae")
"""Scores that a single held-out row has."""

SAMPLERS = ("tpe", "random", "grid", "cmaes", "qmc", "gp", "nsgaii")
SAMPLER_NEEDS = {"cmaes": "cmaes", "gp": "torch"}
PRUNERS = ("median", "hyperband", "successive_halving", "percentile", "wilcoxon", "none")
DEFAULT_PRUNER = "auto"
"""The median pruner, or none where several objectives are searched on."""


EXPORTS: Mapping[str, tuple[str, ...]] = {
    "skops": ("skops",),
    "onnx": ("onnx", "onnxruntime", "skl2onnx", "onnxmltools"),
}
"""Formats that a model may be exported to beside its own, with the packages each needs (module and package agree)."""


def is_installed(module: str) -> bool:
    """Tell whether a library is there, without importing it."""
    return find_spec(module) is not None


def check_export(name: str) -> str:
    """Return a format of EXPORTS. Raises MissingDependency with the packages that it lacks."""
    missing = [package for package in EXPORTS[name] if not is_installed(package)]
    if missing:
        raise MissingDependency(
            f"the export {name!r} needs packages that are not installed: {', '.join(missing)}",
            hint=f"pip install {' '.join(missing)}",
        )
    return name


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
CLUSTERING_METRICS = (
    Metric(
        name="silhouette",
        direction="maximize",
        about="mean of (b - a) / max(a, b), a the distance within the cluster, b to the nearest other; noise counts 0",
    ),
    Metric(
        name="davies_bouldin",
        direction="minimize",
        about="mean over clusters of the worst (spread + spread) / distance of centres; noise rows are left out",
    ),
    Metric(
        name="calinski_harabasz",
        direction="maximize",
        about="variance between clusters over variance within, by degrees of freedom; noise rows are left out",
    ),
)
ASIDE = (
    Metric(name="adjusted_rand", about="agreement of clusters and the target's labels, 0 by chance, 1 the same"),
    Metric(name="nmi", about="mutual information of clusters and the target's labels, normalized, 1 the same"),
    Metric(name="num_clusters", about="clusters among the scored rows, noise not counted"),
    Metric(name="noise_share", about="share of rows that are in no cluster"),
)
"""Of clusters, told beside the scores and never searched on."""

TIMES = (
    Metric(name="fit_s", unit="s", about="wall time of one fit with its scoring"),
    Metric(name="predict_ms", unit="ms", about="time to predict a held-out row, in one batch"),
)
TIMED = tuple(item.name for item in TIMES)
"""What a fit takes; may be searched on beside a score."""

SPEED = (
    Metric(name="row_ms_p50", unit="ms", about="time to predict one raw row, warm: median"),
    Metric(name="row_ms_p95", unit="ms", about="time to predict one raw row, warm: 95th percentile"),
    Metric(name="rows_per_s", unit="rows/s", about="rows predicted in a second, in batches of a thousand"),
    Metric(name="model_bytes", unit="bytes", about="size of the kept model's file"),
)
SCORES: Mapping[str, tuple[Metric, ...]] = {
    CLASSIFICATION: CLASSIFICATION_METRICS,
    REGRESSION: REGRESSION_METRICS,
    CLUSTERING: CLUSTERING_METRICS,
}
GLOSSARY = (*CLASSIFICATION_METRICS, *REGRESSION_METRICS, *CLUSTERING_METRICS, *ASIDE, *CURVES, *TIMES, *SPEED)


def is_better(metric: str, value: float, than: float) -> bool:
    """Tell whether `value` of a declared metric is strictly better."""
    return value > than if direction_of(metric) == "maximize" else value < than


def direction_of(metric: str) -> Direction:
    """Return the declared direction of a score; times are to minimize."""
    if metric in TIMED:
        return "minimize"
    direction = next(item.direction for item in GLOSSARY if item.name == metric)
    assert direction is not None, "every score has a direction"
    return direction


def default_metric(task: str, num_classes: int, *, strategy: str) -> str:
    """Return the objective where the spec names none; several classes, and loo, have the log-loss."""
    if task != CLASSIFICATION:
        return "rmse" if task == REGRESSION else "silhouette"
    return "roc_auc" if num_classes == 2 and strategy != "loo" else "log_loss"
