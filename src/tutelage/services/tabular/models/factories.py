"""Makes estimators from parameters, one function an algorithm. The libraries are imported here, in the fit child."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tutelage.services.tabular.catalog import CLASSIFICATION

Params = Mapping[str, Any]
PLATT_FOLDS = 3
"""Folds in which an SVM's margins are mapped to probabilities (Platt 1999)."""

SVR_TUBE = 0.05
"""Half the width of the tube without loss, in standard deviations of the target."""


def lightgbm(task: str, params: Params, seed: int, threads: int) -> Any:
    """LightGBM's trees."""
    import lightgbm as library

    kind = library.LGBMClassifier if task == CLASSIFICATION else library.LGBMRegressor
    fixed: dict[str, Any] = {"deterministic": True, "force_row_wise": True, "subsample_freq": 1, "verbosity": -1}
    return kind(random_state=seed, n_jobs=threads, **fixed, **params)


def xgboost(task: str, params: Params, seed: int, threads: int) -> Any:
    """XGBoost's trees on histograms."""
    import xgboost as library

    from tutelage.services.tabular.models.wrappers import CodedClassifier

    fixed: dict[str, Any] = {"tree_method": "hist", "enable_categorical": True, "verbosity": 0}
    if task == CLASSIFICATION:
        return CodedClassifier(library.XGBClassifier(random_state=seed, n_jobs=threads, **fixed, **params))
    return library.XGBRegressor(random_state=seed, n_jobs=threads, **fixed, **params)


def catboost(task: str, params: Params, seed: int, threads: int) -> Any:
    """CatBoost's oblivious trees; writes no files."""
    import catboost as library

    kind = library.CatBoostClassifier if task == CLASSIFICATION else library.CatBoostRegressor
    fixed: dict[str, Any] = {"allow_writing_files": False, "verbose": False, "thread_count": threads}
    return kind(random_seed=seed, **fixed, **params)


def random_forest(task: str, params: Params, seed: int, threads: int) -> Any:
    """A random forest that can grow further."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestClassifier if task == CLASSIFICATION else RandomForestRegressor
    return kind(random_state=seed, n_jobs=threads, warm_start=True, **params)


def extra_trees(task: str, params: Params, seed: int, threads: int) -> Any:
    """Extremely randomized trees that can grow further."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesClassifier if task == CLASSIFICATION else ExtraTreesRegressor
    return kind(random_state=seed, n_jobs=threads, warm_start=True, **params)


def gradient_boosting(task: str, params: Params, seed: int, threads: int) -> Any:
    """Friedman's boosted trees, exact splits, one thread."""
    from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

    kind = GradientBoostingClassifier if task == CLASSIFICATION else GradientBoostingRegressor
    return kind(random_state=seed, warm_start=True, **params)


def hist_gradient_boosting(task: str, params: Params, seed: int, threads: int) -> Any:
    """Boosted trees on histograms; its threads are those of the process."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if task == CLASSIFICATION else HistGradientBoostingRegressor
    return kind(random_state=seed, early_stopping=False, warm_start=True, **params)


def logistic_regression(task: str, params: Params, seed: int, threads: int) -> Any:
    """Linear log-odds with an L2 penalty."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000, random_state=seed, **params)


def ridge(task: str, params: Params, seed: int, threads: int) -> Any:
    """Least squares with an L2 penalty."""
    from sklearn.linear_model import Ridge

    return Ridge(random_state=seed, **params)


def linear_regression(task: str, params: Params, seed: int, threads: int) -> Any:
    """Least squares."""
    from sklearn.linear_model import LinearRegression

    return LinearRegression(**params)


def elastic_net(task: str, params: Params, seed: int, threads: int) -> Any:
    """Least squares with L1 and L2 penalties on the standardized target: alpha means the same for every unit."""
    from sklearn.linear_model import ElasticNet

    from tutelage.services.tabular.models.wrappers import ScaledTarget

    return ScaledTarget(ElasticNet(max_iter=10_000, random_state=seed, **params))


def lasso(task: str, params: Params, seed: int, threads: int) -> Any:
    """Least squares with an L1 penalty on the standardized target."""
    return elastic_net(task, {**params, "l1_ratio": 1.0}, seed, threads)


def svm(task: str, params: Params, seed: int, threads: int) -> Any:
    """A kernel machine: probabilities by Platt's sigmoid on cross-validated margins, or numbers by SVR."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import SVC, SVR

    from tutelage.services.tabular.models.wrappers import ScaledTarget

    if task != CLASSIFICATION:
        return ScaledTarget(SVR(cache_size=500, epsilon=SVR_TUBE, **params))
    folds = StratifiedKFold(PLATT_FOLDS, shuffle=True, random_state=seed)
    machine = SVC(cache_size=500, random_state=seed, **params)
    return CalibratedClassifierCV(machine, method="sigmoid", cv=folds, ensemble=False)


def knn(task: str, params: Params, seed: int, threads: int) -> Any:
    """The nearest neighbours' votes, with one vote for the labels' shares, or their mean."""
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    from tutelage.services.tabular.models.wrappers import SmoothedVotes

    if task == CLASSIFICATION:
        return SmoothedVotes(KNeighborsClassifier(n_jobs=threads, **params))
    return KNeighborsRegressor(n_jobs=threads, **params)


def naive_bayes(task: str, params: Params, seed: int, threads: int) -> Any:
    """Independent normal distributions by class."""
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB(**params)


def neural_network(task: str, params: Params, seed: int, threads: int) -> Any:
    """A multilayer perceptron trained by Adam, an epoch at a time."""
    import numpy as np
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    from tutelage.services.tabular.models.wrappers import ScaledTarget

    given = dict(params)
    given["hidden_layer_sizes"] = (given.pop("hidden_units"),) * given.pop("num_layers")
    # a generator, not a number: partial_fit would draw the same order in every epoch
    given["random_state"] = np.random.RandomState(seed)
    return MLPClassifier(**given) if task == CLASSIFICATION else ScaledTarget(MLPRegressor(**given))


def embedding_network(task: str, params: Params, seed: int, threads: int) -> Any:
    """The same on torch, with an embedding for each category."""
    from tutelage.services.tabular.models.embedding_network import EmbeddingClassifier, EmbeddingRegressor
    from tutelage.services.tabular.models.wrappers import ScaledTarget

    if task == CLASSIFICATION:
        return EmbeddingClassifier(**params, seed=seed, threads=threads)
    return ScaledTarget(EmbeddingRegressor(**params, seed=seed, threads=threads))


def kmeans(task: str, params: Params, seed: int, threads: int) -> Any:
    """Centres of clusters."""
    from tutelage.services.tabular.models.clusterers import KMeansClusters

    return KMeansClusters(random_state=seed, **params)


def dbscan(task: str, params: Params, seed: int, threads: int) -> Any:
    """Dense regions; the same for every seed."""
    from tutelage.services.tabular.models.clusterers import DbscanClusters

    return DbscanClusters(**params)


FACTORIES: Mapping[str, Callable[[str, Params, int, int], Any]] = {
    "lightgbm": lightgbm,
    "xgboost": xgboost,
    "catboost": catboost,
    "random_forest": random_forest,
    "extra_trees": extra_trees,
    "gradient_boosting": gradient_boosting,
    "hist_gradient_boosting": hist_gradient_boosting,
    "logistic_regression": logistic_regression,
    "ridge": ridge,
    "linear_regression": linear_regression,
    "elastic_net": elastic_net,
    "lasso": lasso,
    "svm": svm,
    "knn": knn,
    "naive_bayes": naive_bayes,
    "neural_network": neural_network,
    "embedding_network": embedding_network,
    "kmeans": kmeans,
    "dbscan": dbscan,
}
"""Algorithm -> what makes its estimator from (task, params, seed, threads)."""
