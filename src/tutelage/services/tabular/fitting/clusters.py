"""Scores of clusters and what is told of them: sizes, centres in raw units, a picture's points. In the fit child."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.decomposition import PCA

from tutelage.services.tabular.models.clusterers import NOISE, sample_rows

TRIVIAL_CLUSTERS = 8
"""Clusters of the trivial model, which assigns rows at random: as many as k-means' defaults."""

SHOWN_CATEGORIES = 3


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """What the kept model found: a record for each cluster, and points of training rows for a picture."""

    record: list[dict[str, Any]]
    points: Any  # (rows, 2): the first two principal components
    labels: Any  # (rows,)
    explained: list[float]
    trivial: dict[str, float]
    details: dict[str, float]


def cluster_scores(matrix: Any, said: Any, truth: Any) -> dict[str, float]:
    """Return all scores that are defined for the clusters `said` of the encoded rows `matrix`.

    A noise row is a cluster of its own and has silhouette 0 (Rousseeuw 1987), as have rows without a second cluster
    to be compared with; the others are compared among themselves. With many rows the silhouette is that of a fixed
    sample; the other two scores need two clusters. `truth` are labels as text, empty where
    there is none: only they are compared with the clusters.
    """
    labels = np.asarray(said, dtype="int64")
    rows, inside = np.asarray(matrix, dtype="float64"), labels != NOISE
    num_clusters = len(np.unique(labels[inside]))
    found: dict[str, float] = {"num_clusters": num_clusters, "noise_share": 1 - inside.mean(), "silhouette": 0.0}
    if _is_scored(labels[inside]):
        found["silhouette"] = inside.mean() * _silhouette(rows[inside], labels[inside])
        found["davies_bouldin"] = metrics.davies_bouldin_score(rows[inside], labels[inside])
        found["calinski_harabasz"] = metrics.calinski_harabasz_score(rows[inside], labels[inside])
        found = {name: value for name, value in found.items() if np.isfinite(value)}
    labelled = np.asarray(truth) != ""
    if labelled.sum() > 1:
        found["adjusted_rand"] = metrics.adjusted_rand_score(truth[labelled], labels[labelled])
        found["nmi"] = metrics.normalized_mutual_info_score(truth[labelled], labels[labelled])
    return {name: float(value) for name, value in found.items()}


def _is_scored(labels: Any) -> bool:
    return 2 <= len(np.unique(labels)) < len(labels)


def _silhouette(rows: Any, labels: Any) -> float:
    some = sample_rows(len(rows))
    if not _is_scored(labels[some]):
        some = np.arange(len(rows))  # a rare cluster may be missing in the sample
    return float(metrics.silhouette_score(rows[some], labels[some]))


def trivial_clusters(num_rows: int, seed: int) -> Any:
    """Return the trivial model's clusters: rows assigned at random, all clusters of one size."""
    even = np.arange(num_rows) % min(TRIVIAL_CLUSTERS, max(2, num_rows // 2))
    return np.random.default_rng(seed).permutation(even)


def shuffled_clusters(said: Any, seed: int) -> Any:
    """Return clusters of the same sizes with the rows assigned at random."""
    return np.random.default_rng(seed).permutation(said)


def describe(model: Any, train: Any, typed: Any, categorical: list[str], trivial: dict[str, float]) -> Clusters:
    """Describe the clusters of the training rows: `train` are the encoded ones, `typed` hold their raw units."""
    labels = model.predict(train)
    names = sorted(np.unique(labels).tolist(), key=lambda name: (name == NOISE, name))
    record = [_one(int(name), typed[labels == name], len(typed), categorical) for name in names]
    some = sample_rows(len(train))
    points, explained = _points(np.asarray(train, dtype="float64")[some])
    eps = {"eps": float(model.eps_)} if hasattr(model, "eps_") else {}
    return Clusters(
        record=record, points=points, labels=labels[some], explained=explained, trivial=trivial, details=eps
    )


def _one(name: int, rows: Any, num_rows: int, categorical: list[str]) -> dict[str, Any]:
    numbers = rows.drop(columns=categorical).mean()
    centre: dict[str, Any] = {str(key): None if pd.isna(value) else float(value) for key, value in numbers.items()}
    for column in categorical:
        shares = rows[column].value_counts(normalize=True).head(SHOWN_CATEGORIES)
        centre[column] = {str(key): float(value) for key, value in shares.items()}
    kind = {"noise": True} if name == NOISE else {}
    return {"cluster": name, **kind, "size": len(rows), "share": len(rows) / num_rows, "centre": centre}


def _points(rows: Any) -> tuple[Any, list[float]]:
    """Return the rows in the plane of most variance; a table of one column keeps it, beside 0."""
    parts = min(2, rows.shape[1], len(rows))
    found = PCA(parts, random_state=0).fit(rows)
    flat = np.zeros((len(rows), 2))
    flat[:, :parts] = found.transform(rows)
    return flat, [float(share) for share in found.explained_variance_ratio_]


def spread_between(labels: Any, train: Any, sources: list[str]) -> dict[str, float]:
    """Return each raw column's share of the variance between clusters, over its encoded columns."""
    rows = np.asarray(train, dtype="float64")
    means = pd.DataFrame(rows).groupby(np.asarray(labels)).transform("mean").to_numpy()
    weights = pd.Series(means.var(axis=0)).groupby(sources).sum()
    total = float(weights.sum())
    shares = (weights / total if total > 0 else weights).sort_values(ascending=False)
    return {str(name): float(value) for name, value in shares.items()}
