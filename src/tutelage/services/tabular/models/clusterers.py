"""Estimators that put rows into clusters and tell the cluster of new rows: k-means, and DBSCAN with a `predict`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import DBSCAN, KMeans
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from tutelage.services.tabular.errors import TooFewClusters

NOISE = -1
STARTS = 10
"""Random starts of k-means; the one with the least inertia is kept."""

SAMPLED_ROWS = 2_000
"""Rows on which distances to neighbours are measured, drawn with a fixed seed where there are more."""


class KMeansClusters(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """k-means (Lloyd 1982) from k-means++ starts; a new row belongs to the nearest centre. One thread, repeatable."""

    predicts_clusters = True

    def __init__(self, n_clusters: int = 8, random_state: int = 0) -> None:
        self.n_clusters = n_clusters
        self.random_state = random_state

    def fit(self, matrix: Any, target: Any = None) -> KMeansClusters:
        """Find the centres; never more of them than there are different rows."""
        num_clusters = min(self.n_clusters, _num_different(np.asarray(matrix), self.n_clusters))
        self.model_ = KMeans(num_clusters, n_init=STARTS, random_state=self.random_state)
        with threadpool_limits(1):  # several threads add the rows of a centre in the order they end
            self.model_.fit(matrix)
        self.labels_ = np.asarray(self.model_.labels_, dtype="int64")
        return self

    def predict(self, matrix: Any) -> Any:
        """Return the cluster of each row."""
        with threadpool_limits(1):
            return np.asarray(self.model_.predict(np.asarray(matrix)), dtype="int64")


def _num_different(rows: Any, enough: int) -> int:
    """Count different rows, among the first ones only where those are enough already."""
    few = len(np.unique(rows[: 100 * enough], axis=0))
    return few if few >= enough else len(np.unique(rows, axis=0))


class DbscanClusters(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """DBSCAN (Ester et al. 1996) whose radius is told in the data's own unit, and that predicts.

    `eps_` is `eps_scale` times the median distance of a training row to its `min_samples`-th nearest (itself the
    first), so that one range of scales suits every table. A new row belongs to the cluster of the nearest core row
    within `eps_`, else it is noise (-1).
    """

    predicts_clusters = True

    def __init__(self, eps_scale: float = 1.0, min_samples: int = 5) -> None:
        self.eps_scale = eps_scale
        self.min_samples = min_samples

    def fit(self, matrix: Any, target: Any = None) -> DbscanClusters:
        """Find dense regions. Raises TooFewClusters where no row is dense."""
        rows = np.asarray(matrix, dtype="float64")
        self.eps_ = self.eps_scale * neighbour_distance(rows, min(self.min_samples, len(rows)))
        found = DBSCAN(eps=self.eps_, min_samples=self.min_samples).fit(rows)
        if not len(found.core_sample_indices_):
            raise TooFewClusters(
                f"no row has {self.min_samples} rows within eps {self.eps_:.4g}", hint="raise eps_scale, or use kmeans"
            )
        self.labels_ = np.asarray(found.labels_, dtype="int64")
        self.core_labels_ = self.labels_[found.core_sample_indices_]
        self.core_ = NearestNeighbors(n_neighbors=1).fit(rows[found.core_sample_indices_])
        return self

    def predict(self, matrix: Any) -> Any:
        """Return the cluster of each row, -1 for noise."""
        distances, nearest = self.core_.kneighbors(np.asarray(matrix, dtype="float64"))
        return np.where(distances[:, 0] <= self.eps_, self.core_labels_[nearest[:, 0]], NOISE)


def neighbour_distance(rows: Any, count: int) -> float:
    """Return the median distance of a row to its `count`-th nearest, itself the first; rows that repeat are left out.

    Raises TooFewClusters where every row repeats another so often that no distance is above 0.
    """
    some = rows[sample_rows(len(rows))]
    distances = NearestNeighbors(n_neighbors=count).fit(rows).kneighbors(some)[0][:, -1]
    if not (distances > 0).any():
        raise TooFewClusters(
            f"every row has {count} rows at distance 0: there is no radius to search with",
            hint="raise min_samples, or use kmeans",
        )
    return float(np.median(distances[distances > 0]))


def sample_rows(num_rows: int) -> Any:
    """Return all row numbers, or a fixed random sample of them, sorted."""
    if num_rows <= SAMPLED_ROWS:
        return np.arange(num_rows)
    return np.sort(np.random.default_rng(0).choice(num_rows, SAMPLED_ROWS, replace=False))
