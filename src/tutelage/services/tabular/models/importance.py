"""Which columns a model learned from: its own weights where it has them, else the loss when a column is shuffled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, root_mean_squared_error

from tutelage.services.tabular.models.pipeline import predict
from tutelage.services.tabular.models.wrappers import inner

SHUFFLED_ROWS = 500
SHUFFLES = 3


def importance(model: Any, train: Any, held: Any, truth: Any, *, sources: list[str], classes: Any) -> dict[str, float]:
    """Return each raw column's share; `sources` names the raw column behind each encoded one."""
    own = own_weights(model, train)
    if own is None:
        weights = shuffled(model, held[:SHUFFLED_ROWS], truth[:SHUFFLED_ROWS], sources=sources, classes=classes)
    else:
        weights = pd.Series(own).groupby(sources).sum()
    total = float(weights.sum())
    shares = (weights / total if total > 0 else weights).sort_values(ascending=False)
    return {str(name): float(value) for name, value in shares.items()}


def own_weights(model: Any, matrix: Any) -> Any:
    """Return one weight an encoded column (gain, impurity decrease, |coefficient| x spread), or None."""
    own = inner(model)
    if hasattr(own, "booster_"):
        return np.asarray(own.booster_.feature_importance("gain"), dtype="float64")
    if hasattr(own, "get_booster"):
        gains = own.get_booster().get_score(importance_type="total_gain")
        return np.array([gains.get(f"f{column}", 0.0) for column in range(matrix.shape[1])])
    if hasattr(own, "feature_importances_"):
        return np.asarray(own.feature_importances_, dtype="float64")
    if hasattr(own, "coef_") and getattr(own, "kernel", "linear") == "linear":
        weights = np.abs(np.atleast_2d(own.coef_)).mean(axis=0)
        return np.asarray(weights * np.std(matrix, axis=0), dtype="float64")
    return None


def shuffled(model: Any, held: Any, truth: Any, *, sources: list[str], classes: Any) -> Any:
    """Return the mean increase of the loss when all columns of a source are shuffled together; 0 where it falls."""
    dice = np.random.default_rng(0)
    before = _loss(predict(model, held, classes), truth, classes)
    found = {}
    for source in dict.fromkeys(sources):
        columns = [index for index, name in enumerate(sources) if name == source]
        after = []
        for _ in range(SHUFFLES):
            changed = held.copy()
            changed[:, columns] = held[dice.permutation(len(held))][:, columns]
            after.append(_loss(predict(model, changed, classes), truth, classes))
        found[source] = max(0.0, float(np.mean(after)) - before)
    return pd.Series(found)


def _loss(said: Any, truth: Any, classes: Any) -> float:
    return float(root_mean_squared_error(truth, said) if classes is None else log_loss(truth, said, labels=classes))
