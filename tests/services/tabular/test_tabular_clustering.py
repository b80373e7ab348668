from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN
from sklearn.metrics import silhouette_samples, silhouette_score
from tabular_support import Operation, config, kill, make_table, scores_of, trials_seen
from test_tabular_train import ask

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.services.tabular.catalog import CLUSTERING
from tutelage.services.tabular.data.target import read_labels
from tutelage.services.tabular.data.types import ColumnReader, infer_columns
from tutelage.services.tabular.errors import TooFewClusters
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.clusters import cluster_scores, shuffled_clusters, spread_between
from tutelage.services.tabular.fitting.fit_child import FitServer
from tutelage.services.tabular.inspect import inspect
from tutelage.services.tabular.models.algorithms import REGISTRY
from tutelage.services.tabular.models.clusterers import DbscanClusters, KMeansClusters

DICE = np.random.default_rng(0)
MIDDLES = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
BLOBS = np.concatenate([middle + DICE.normal(0, 1, (60, 2)) for middle in MIDDLES])
OWNERS = np.repeat([0, 1, 2], 60)
NO_LABELS = np.full(len(BLOBS), "")
REAL = (("telco_churn.csv", "Churn"), ("california_housing.csv", None), ("mammography.csv", "class"))


def test_dbscan_labels_its_training_rows_as_the_library_does_and_new_rows_by_the_nearest_core() -> None:
    model = DbscanClusters(1.3, 5).fit(BLOBS)
    own = DBSCAN(eps=model.eps_, min_samples=5).fit(BLOBS)
    core = own.core_sample_indices_
    np.testing.assert_array_equal(model.predict(BLOBS[core]), own.labels_[core])
    np.testing.assert_array_equal(model.predict(BLOBS) == -1, own.labels_ == -1)
    assert model.predict([[100.0, 100.0]]).tolist() == [-1]
    nearest = core[np.linalg.norm(BLOBS[core] - MIDDLES[1], axis=1).argmin()]
    assert model.predict(MIDDLES[1:2]).tolist() == [own.labels_[nearest]]


def test_the_radius_follows_the_unit_of_the_data() -> None:
    small, large = DbscanClusters().fit(BLOBS), DbscanClusters().fit(BLOBS * 1000)
    assert large.eps_ == pytest.approx(1000 * small.eps_)
    np.testing.assert_array_equal(small.labels_, large.labels_)


def test_rows_that_all_repeat_or_lie_apart_have_no_dense_region() -> None:
    with pytest.raises(TooFewClusters, match="distance 0"):
        DbscanClusters(1.0, 3).fit(np.ones((20, 2)))
    with pytest.raises(TooFewClusters, match="no row has"):
        DbscanClusters(0.2, 10).fit(BLOBS)


def test_kmeans_finds_the_blobs_and_never_asks_for_more_clusters_than_rows_differ() -> None:
    model = KMeansClusters(3, 1).fit(BLOBS)
    assert cluster_scores(BLOBS, model.predict(BLOBS), OWNERS.astype(str))["adjusted_rand"] == 1.0
    assert len(np.unique(KMeansClusters(8, 1).fit(np.repeat(MIDDLES, 4, axis=0)).labels_)) == 3


def test_scores_of_whole_clusters_are_the_library_s() -> None:
    found = cluster_scores(BLOBS, OWNERS, NO_LABELS)
    assert found["silhouette"] == pytest.approx(silhouette_score(BLOBS, OWNERS))
    assert (found["num_clusters"], found["noise_share"]) == (3, 0)
    assert "adjusted_rand" not in found


def test_noise_counts_as_rows_of_silhouette_zero() -> None:
    said = np.where(np.arange(180) % 3 == 0, -1, OWNERS)
    inside = said != -1
    expected = silhouette_samples(BLOBS[inside], said[inside]).sum() / 180
    assert cluster_scores(BLOBS, said, NO_LABELS)["silhouette"] == pytest.approx(expected)


@pytest.mark.parametrize("said", [np.zeros(180, int), np.full(180, -1), np.arange(180)])
def test_what_has_nothing_to_compare_has_silhouette_zero_and_no_other_score(said: Any) -> None:
    found = cluster_scores(BLOBS, said, NO_LABELS)
    assert found["silhouette"] == 0
    assert not {"davies_bouldin", "calinski_harabasz"} & set(found)


def test_labels_count_only_where_there_are_any() -> None:
    truth = np.where(np.arange(180) < 90, OWNERS.astype(str), "")
    wrong = np.where(np.arange(180) < 90, OWNERS, 7)
    assert cluster_scores(BLOBS, wrong, truth)["adjusted_rand"] == 1.0
    frame = pd.DataFrame({"y": ["a", None, "?", "b"]})
    assert read_labels(frame, "y").values.tolist() == ["a", "", "", "b"]
    assert read_labels(frame, "").values.tolist() == [""] * 4


def test_a_random_partition_keeps_the_sizes_and_scores_low() -> None:
    said = shuffled_clusters(OWNERS, seed=3)
    assert np.bincount(said).tolist() == [60, 60, 60]
    assert cluster_scores(BLOBS, said, NO_LABELS)["silhouette"] < 0.05


def test_the_column_that_parts_the_clusters_carries_the_importance() -> None:
    rows = np.column_stack([BLOBS[:, 0], DICE.normal(0, 1, 180)])
    shares = spread_between((BLOBS[:, 0] > 4.5).astype(int), rows, ["parts", "noise"])
    assert shares["parts"] > 0.95
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "more",
    [
        {"classWeight": "balanced"},
        {"optimizeFor": "recall"},
        {"businessContext": {"falsePositiveCost": 1, "falseNegativeCost": 2}},
        {"resampling": "smote"},
        {"calibration": "sigmoid"},
        {"strategy": "rules"},
        {"options": {"earlyStoppingRounds": 3}},
        {"validationStrategy": "stratified"},
        {"validationStrategy": "loo"},
        {"algorithm": "ridge"},
        {"features": ["a", "y"], "targetColumn": "y"},
    ],
)
def test_what_needs_a_target_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec):
        config({"modelType": "clustering", "trainDataPath": "/t.csv", **more})


def test_labels_are_never_searched_on() -> None:
    for metric in ("adjusted_rand", "nmi", "accuracy"):
        with pytest.raises(UnknownName, match="metric for clustering"):
            config({"algorithm": "kmeans", "trainDataPath": "/t.csv", "metric": metric})


def test_the_algorithm_alone_tells_the_task_and_needs_no_target() -> None:
    asked = config({"algorithm": "k-means", "trainDataPath": "/t.csv"})
    assert (asked.task, asked.target) == (CLUSTERING, "")
    assert config({"algorithm": "dbscan", "trainDataPath": "sklearn:iris"}).target == "target"


def test_a_look_without_a_target_suggests_a_clustering_that_is_valid(small_csv: Path) -> None:
    suggested = inspect({"dataPath": str(small_csv)})["suggestedJob"]
    assert suggested["modelType"] == CLUSTERING
    assert suggested.pop("task") == "train_model"
    assert config(suggested).task == CLUSTERING


@pytest.mark.slow  # fits two algorithms on three real tables
@pytest.mark.needs_shared_data
@pytest.mark.parametrize("algorithm", ["kmeans", "dbscan"])
@pytest.mark.parametrize(("table", "label"), REAL)
def test_clusters_of_real_tables_are_better_than_random_ones(
    tmp_path: Path, shared_data: Path, algorithm: str, table: str, label: str | None
) -> None:
    frame = pd.read_csv(shared_data / "tabular" / table).sample(1500, random_state=0).reset_index(drop=True)
    reader = ColumnReader(infer_columns(frame, names=[name for name in frame if name != label], asked=False))
    typed, values = reader.transform(frame), read_labels(frame, label or "").values
    parts = {"frame": typed[:1200], "target": values[:1200], "test_frame": typed[1200:], "test_target": values[1200:]}
    server = FitServer(io.BytesIO(), lambda: False)
    server.answer(messages.Load(task=CLUSTERING, reader=reader, threads=1, **parts))
    request = {"params": REGISTRY[algorithm].defaults, "train": np.arange(1200), "keep": tmp_path / "m"}
    fitted = server.answer(messages.Fit(algorithm=algorithm, seed=1, **request))
    assert fitted.test_scores["silhouette"] > fitted.clusters.trivial["silhouette"] + 0.02
    assert sum(item["size"] for item in fitted.clusters.record) == 1200


ASKED = {"hyperparameterSearch": {"nTrials": 6}, "validationStrategy": {"folds": 3}}


@pytest.mark.slow  # a training and one killed twice
@pytest.mark.parametrize("algorithm", ["kmeans", "dbscan"])
def test_a_killed_clustering_ends_as_if_undisturbed_and_predicts(
    tmp_path: Path, home: Path, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table.csv"
    make_table(600).to_csv(table, index=False)
    asked = {"algorithm": algorithm, "trainDataPath": str(table), "targetColumn": "y", **ASKED}
    calm, disturbed = Operation.create(home, asked), Operation.create(home, asked)
    assert calm.run() == 0, calm.events(kind="error")
    for attempt, trials in ((1, 1), (2, 3)):
        worker = disturbed.start(attempt)
        disturbed.wait_for(trials_seen(trials, attempt), attempt=attempt)
        kill(worker)
    assert disturbed.run(3) == 0
    assert scores_of(disturbed.result) == scores_of(calm.result)
    assert [disturbed.result[key] for key in ("bestParams", "featureImportance")] == [
        calm.result[key] for key in ("bestParams", "featureImportance")
    ]
    clusters = [json.loads((item.files.artifacts / "clusters.json").read_text()) for item in (calm, disturbed)]
    assert clusters[0] == clusters[1]
    centre = clusters[0]["clusters"][0]["centre"]
    assert 18 <= centre["age"] <= 80
    assert sum(centre["city"].values()) == pytest.approx(1)
    metadata = calm.result["metadata"]
    assert calm.result["metrics"]["test"]["silhouette"] > metadata["baselineTest"]["silhouette"]
    row = {"age": None, "city": "Atlantis", "spend": "40", "member": "yes"}
    (answer,) = ask(calm, monkeypatch, {"rows": [row]})
    assert answer["predictions"][0] in [item["cluster"] for item in metadata["clusters"]] + [-1]
    assert answer["probabilities"] is None
    assert "Atlantis" in answer["warnings"][0]


@pytest.mark.slow  # a training that is tuned and stopped
def test_a_clustering_is_tuned_and_stopped_like_any_search(home: Path, small_csv: Path) -> None:
    asked = {"modelType": "clustering", "trainDataPath": str(small_csv), "hyperparameterSearch": {"nTrials": 5000}}
    operation = Operation.create(home, asked)
    worker = operation.start()
    operation.wait_for(trials_seen(2))
    operation.command("tune", n_trials=4000)
    operation.command("stop")
    assert worker.wait(60) == 0
    metadata = operation.result["metadata"]
    assert metadata["stoppedEarly"]
    assert (metadata["algorithm"], metadata["target"]) == ("kmeans", None)
    answers = [(event["d"]["verb"], event["d"]["status"]) for event in operation.events(kind="applied")]
    assert answers == [("tune", "applied"), ("stop", "applied")]
    assert "adjusted_rand" not in operation.result["metrics"]["test"]
