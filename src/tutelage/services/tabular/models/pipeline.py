"""Encoders and the saved pipeline: raw rows -> typed columns -> encoded matrix -> model. Runs where sklearn may."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from tutelage.services.tabular.data.types import ColumnReader
from tutelage.services.tabular.models.algorithms import Encoding
from tutelage.services.tabular.models.texts import TextColumns

MAX_CATEGORIES = 50


class RawColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """First step of the saved pipeline: reads raw rows as the training read its own."""

    def __init__(self, reader: ColumnReader) -> None:
        self.reader = reader

    def fit(self, frame: Any, target: Any = None) -> RawColumns:
        """Do nothing: the columns' kinds are known."""
        return self

    def transform(self, frame: Any) -> Any:
        """Return the typed frame."""
        return self.reader.transform(frame)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def encoder(reader: ColumnReader, encoding: Encoding) -> ColumnTransformer:
    """Return an unfitted encoder; every statistic in it is learned by `fit`, on training rows alone.

    Unseen categories become "none of the known" (one-hot: zeros or the rare group; codes: -1, or missing for a
    learner that knows missing values). Numbers keep their missing cells for LightGBM, else take the median. Text
    becomes numbers behind those of the categories, so that the places of these do not depend on it.
    """
    if encoding == "one_hot":
        return _one_hot(reader)
    native = encoding == "native"
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan if native else -1, encoded_missing_value=np.nan
    )
    numbers = "passthrough" if native else SimpleImputer(strategy="median", keep_empty_features=True)
    parts = [("numbers", numbers, reader.numeric), ("categories", codes, reader.categorical)]
    return _joined([*parts, ("texts", TextColumns(), reader.texts)])


def _one_hot(reader: ColumnReader) -> ColumnTransformer:
    numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    categories = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=MAX_CATEGORIES,
        sparse_output=False,
        feature_name_combiner=_column_alone,
    )
    return _joined(
        [
            ("numbers", numbers, reader.numeric),
            ("absent", MissingIndicator(features="all"), reader.numeric),
            ("categories", categories, reader.categorical),
            ("texts", make_pipeline(TextColumns(), StandardScaler()), reader.texts),
        ]
    )


def _joined(parts: list[tuple[str, Any, list[str]]]) -> ColumnTransformer:
    return ColumnTransformer([part for part in parts if part[2]], remainder="drop", sparse_threshold=0.0)


def _column_alone(column: Any, category: Any) -> str:
    return str(column)


def encoded_sources(fitted: ColumnTransformer, reader: ColumnReader) -> list[str]:
    """Return the raw column behind each column of the encoded matrix."""
    typed: list[str] = []
    for name, part, columns in fitted.transformers_:
        if name == "categories" and isinstance(part, OneHotEncoder):
            typed += [str(column) for column in part.get_feature_names_out()]
        elif name == "texts":
            typed += (part[0] if isinstance(part, Pipeline) else part).sources_
        elif name != "remainder":
            typed += list(columns)
    sources = reader.sources
    return [sources[name] for name in typed]


def whole_pipeline(reader: ColumnReader, encode: ColumnTransformer, model: Any) -> Pipeline:
    """Join fitted parts into the pipeline that takes raw rows."""
    return Pipeline([("columns", RawColumns(reader)), ("encode", encode), ("model", model)])


def predict(model: Any, matrix: Any, classes: Any) -> Any:
    """Return numbers, or a probability for each of `classes`, also of those the model never saw."""
    if classes is None:
        return np.asarray(model.predict(matrix), dtype="float64")
    said = np.asarray(model.predict_proba(matrix), dtype="float64")
    if len(model.classes_) == len(classes):
        return said
    wide = np.zeros((len(said), len(classes)))
    wide[:, np.searchsorted(classes, model.classes_)] = said
    return wide
