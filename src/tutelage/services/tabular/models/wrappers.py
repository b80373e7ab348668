"""Estimators around estimators, saved within a model: a standardized target, labels as codes."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from tutelage.services.tabular.models.calibration import Calibrator
from tutelage.services.tabular.models.thresholds import decide


class ScaledTarget(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Fits a regressor to the target less its mean, in standard deviations; predicts in the target's unit."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def scale(self, target: Any) -> Any:
        """Learn mean and spread of a training target and return it standardized."""
        self.mean_ = float(np.mean(target))
        self.spread_ = float(np.std(target)) or 1.0
        return (target - self.mean_) / self.spread_

    def fit(self, matrix: Any, target: Any, **more: Any) -> ScaledTarget:
        """Fit the wrapped regressor."""
        self.model.fit(matrix, self.scale(target), **more)
        return self

    def predict(self, matrix: Any) -> Any:
        """Return predictions in the target's unit."""
        return self.model.predict(matrix) * self.spread_ + self.mean_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "mean_")


class CodedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Lets a classifier that wants codes 0, 1, ... learn from any labels; `classes_` are the sorted labels."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, matrix: Any, target: Any, **more: Any) -> CodedClassifier:
        """Fit the wrapped classifier on codes."""
        self.classes_ = np.unique(target)
        self.model.fit(matrix, self.codes(target), **more)
        return self

    def codes(self, target: Any) -> Any:
        """Return the place of each label among the sorted ones."""
        return np.searchsorted(self.classes_, target)

    def predict_proba(self, matrix: Any) -> Any:
        """Return a probability for each of `classes_`."""
        said = np.asarray(self.model.predict_proba(matrix), dtype="float64")
        return said / said.sum(axis=1, keepdims=True)  # XGBoost's single precision misses 1 by 1e-7

    def predict(self, matrix: Any) -> Any:
        """Return the most probable labels."""
        return self.classes_[self.predict_proba(matrix).argmax(axis=1)]


def inner(model: Any) -> Any:
    """Return the library's own estimator."""
    return model.model if isinstance(model, ScaledTarget | CodedClassifier | SmoothedVotes) else model


class FittedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted classifier whose answers a subclass corrects."""

    model: Any

    def fit(self, matrix: Any, target: Any, **more: Any) -> Self:
        """Fit the wrapped classifier; scikit-learn takes nothing for an estimator that has no `fit`."""
        self.model.fit(matrix, target, **more)
        return self

    @property
    def classes_(self) -> Any:
        """The sorted labels."""
        return self.model.classes_

    def predict_proba(self, matrix: Any) -> Any:
        """Return a probability for each of `classes_`."""
        return self.model.predict_proba(matrix)

    def predict(self, matrix: Any) -> Any:
        """Return the most probable labels."""
        return self.classes_[self.predict_proba(matrix).argmax(axis=1)]

    def __sklearn_is_fitted__(self) -> bool:
        return True


class AtThreshold(FittedClassifier):
    """A classifier of two classes that predicts the second one from a threshold on."""

    def __init__(self, model: Any, threshold: float) -> None:
        self.model = model
        self.threshold = threshold

    def predict(self, matrix: Any) -> Any:
        """Return the labels at the threshold."""
        return decide(self.predict_proba(matrix), self.classes_, self.threshold)


class Calibrated(FittedClassifier):
    """A classifier whose probabilities are corrected."""

    def __init__(self, model: Any, calibrator: Calibrator) -> None:
        self.model = model
        self.calibrator = calibrator

    def predict_proba(self, matrix: Any) -> Any:
        """Return a corrected probability for each of `classes_`."""
        return self.calibrator.apply(self.model.predict_proba(matrix))


class SmoothedVotes(FittedClassifier):
    """Nearest neighbours with one vote more, spread as the labels are in the training rows: no label is impossible.

    The m-estimate with m = 1 (Cestnik 1990). Without it one row whose label none of its neighbours has costs 36 nats.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, matrix: Any, target: Any, **more: Any) -> Self:
        """Fit the wrapped neighbours and count the labels."""
        super().fit(matrix, target, **more)
        self.prior_ = np.unique(target, return_counts=True)[1] / len(target)
        return self

    @property
    def share_(self) -> float:
        """What the neighbours' own votes are of all."""
        return float(self.model.n_neighbors / (self.model.n_neighbors + 1))

    def predict_proba(self, matrix: Any) -> Any:
        """Return a probability above 0 for each of `classes_`."""
        return self.model.predict_proba(matrix) * self.share_ + self.prior_ * (1.0 - self.share_)


class AsPredicted(BaseEstimator):  # type: ignore[misc]
    """A kept pipeline that predicts from raw rows exactly what `use` answers, for libraries that only call `predict`.

    Labels come from the probabilities, by the threshold where one was tuned; an SVM's own `predict` would at times
    say another label than its probabilities do.
    """

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline

    def predict(self, frame: Any) -> Any:
        """Return labels, numbers in the target's unit, or clusters."""
        model = self.pipeline["model"]
        if not hasattr(model, "classes_"):
            kind = "int64" if getattr(model, "predicts_clusters", False) else "float64"
            return np.asarray(model.predict(self._encoded(frame)), dtype=kind)
        return decide(self.predict_proba(frame), model.classes_, getattr(model, "threshold", None))

    def predict_proba(self, frame: Any) -> Any:
        """Return a probability for each of `classes_`."""
        return self.pipeline["model"].predict_proba(self._encoded(frame))

    def _encoded(self, frame: Any) -> Any:
        return self.pipeline["encode"].transform(self.pipeline["columns"].reader.transform(frame))

    @property
    def classes_(self) -> Any:
        """The sorted labels; none for a regression."""
        return self.pipeline["model"].classes_
