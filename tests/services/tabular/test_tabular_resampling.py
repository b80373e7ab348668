from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tabular_support import Operation, config, job, make_table

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular.catalog import CLASSIFICATION
from tutelage.services.tabular.data.types import ColumnReader, infer_columns
from tutelage.services.tabular.errors import TooFewRows
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.fit_child import FitServer
from tutelage.services.tabular.fitting.messages import Resample
from tutelage.services.tabular.fitting.resampling import category_blocks, nearest_rows, resample, smote
from tutelage.services.tabular.models.algorithms import REGISTRY, Encoding
from tutelage.services.tabular.models.pipeline import encoder

KINDS = ("oversample", "undersample", "smote")


def asked(kind: str, ratio: float = 1.0) -> Resample:
    return Resample(kind=kind, ratio=ratio, neighbours=5)


@pytest.mark.parametrize(
    ("kind", "ratio", "counts"),
    [
        ("oversample", 1.0, [60, 60, 60]),
        ("oversample", 0.5, [60, 30, 30]),
        ("smote", 0.5, [60, 30, 30]),
        ("smote", 0.25, [60, 20, 15]),
        ("undersample", 1.0, [8, 8, 8]),
        ("undersample", 0.5, [16, 16, 8]),
        ("undersample", 0.1, [60, 20, 8]),
    ],
)
def test_the_ratio_of_classes(kind: str, ratio: float, counts: list[int]) -> None:
    target = np.repeat(["a", "b", "c"], [60, 20, 8])
    rows = np.random.default_rng(0).normal(size=(88, 3))
    matrix, labels = resample(rows, target, asked(kind, ratio), blocks=[], seed=1)
    assert np.unique(labels, return_counts=True)[1].tolist() == counts
    assert len(matrix) == len(labels)
    again, _ = resample(rows, target, asked(kind, ratio), blocks=[], seed=1)
    np.testing.assert_array_equal(matrix, again)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 5))
def test_a_made_row_lies_between_a_row_of_its_class_and_one_of_its_neighbours(
    seed: int, num_rows: int, count: int
) -> None:
    dice = np.random.default_rng(seed)
    rows = dice.normal(size=(num_rows, 2))
    near = nearest_rows(rows, None, min(5, num_rows - 1))
    for made in smote(rows, count, 5, blocks=[], dice=dice, name="a"):
        gaps = [
            np.linalg.norm(made - one) + np.linalg.norm(made - rows[other]) - np.linalg.norm(one - rows[other])
            for one, others in zip(rows, near, strict=True)
            for other in others
        ]
        assert min(gaps) < 1e-9


def test_given_rows_stay_first_and_in_order_and_untouched() -> None:
    target = np.repeat([0, 1], [30, 10])
    rows = np.random.default_rng(0).normal(size=(40, 3))
    for kind in ("oversample", "smote"):
        matrix, labels = resample(rows, target, asked(kind), blocks=[], seed=1)
        np.testing.assert_array_equal(matrix[:40], rows)
        assert (labels[40:] == 1).all()


def test_a_category_is_the_neighbours_most_frequent_and_never_one_between() -> None:
    numbers = np.arange(12.0).reshape(-1, 1)
    hot = np.eye(3)[[0, 0, 0, 0, 1, 0, 2, 2, 2, 2, 2, 1]]
    rows = np.column_stack([numbers, hot])
    made = smote(rows, 200, 3, blocks=[[1, 2, 3]], dice=np.random.default_rng(0), name="a")
    assert set(map(tuple, made[:, 1:])) <= set(map(tuple, hot))
    assert (made[made[:, 0] < 2][:, 1] == 1).all()
    assert (made[made[:, 0] > 8.5][:, 3] == 1).mean() > 0.8


def test_a_missing_number_is_not_made_up() -> None:
    rows = np.array([[1.0, np.nan], [1.1, np.nan], [1.2, 3.0], [1.3, np.nan]])
    made = smote(rows, 60, 3, blocks=[], dice=np.random.default_rng(0), name="a")
    values = made[:, 1]
    assert set(values[~np.isnan(values)]) == {3.0}
    assert not np.isnan(made[:, 0]).any()


def test_a_single_row_has_no_neighbour_and_is_refused() -> None:
    with pytest.raises(TooFewRows, match="class 'b' has 1"):
        resample(np.ones((5, 1)), np.array([*"aaaab"]), asked("smote"), blocks=[], seed=0)


def small_reader() -> tuple[Any, ColumnReader]:
    frame = make_table(400)
    reader = ColumnReader(infer_columns(frame, names=[name for name in frame if name != "y"], asked=False))
    return frame, reader


@pytest.mark.parametrize("encoding", ["native", "ordinal", "one_hot"])
def test_every_encoding_s_categories_are_found(encoding: Encoding) -> None:
    frame, reader = small_reader()
    encode = encoder(reader, encoding)
    matrix = encode.fit_transform(reader.transform(frame))
    blocks = category_blocks(encode, reader)
    numbers = set(range(matrix.shape[1])) - {column for block in blocks for column in block}
    names = [name for name in reader.numeric if name != "member"]
    assert numbers == {reader.numeric.index(name) for name in names}
    assert (3 if encoding == "one_hot" else 1) in map(len, blocks)


def fitted(folder: Path, frame: Any, reader: ColumnReader, target: Any, kind: str, algorithm: str) -> Any:
    """Fit on the first 240 rows, validate on the next 80; the test are the last 80."""
    typed = reader.transform(frame)
    parts = {"frame": typed[:320], "target": target[:320], "test_frame": typed[320:], "test_target": target[320:]}
    server = FitServer(io.BytesIO(), lambda: False)
    server.answer(messages.Load(task=CLASSIFICATION, reader=reader, threads=1, resample=asked(kind), **parts))
    params = {"algorithm": algorithm, "params": REGISTRY[algorithm].defaults, "keep": folder / "m"}
    return server.answer(messages.Fit(seed=3, train=np.arange(240), validation=np.arange(240, 320), **params))


@pytest.mark.parametrize("algorithm", ["logistic_regression", "random_forest", "lightgbm"])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_are_scored_leave_no_trace_in_the_model(tmp_path: Path, kind: str, algorithm: str) -> None:
    frame, reader = small_reader()
    target = frame["y"].to_numpy(dtype=str)
    target[:60] = "stays"
    other, changed = frame.copy(), target.copy()
    other.loc[240:319, "age"] = 1e6
    other.loc[240:319, "city"] = "Atlantis"
    changed[240:320] = np.where(target[240:320] == "stays", "leaves", "stays")
    one = fitted(tmp_path, frame, reader, target, kind, algorithm)
    two = fitted(tmp_path, other, reader, changed, kind, algorithm)
    np.testing.assert_array_equal(one.test_predictions, two.test_predictions)
    assert len(one.predictions) == len(two.predictions) == 80
    encode = joblib.load(tmp_path / "m")["encode"]
    assert encode.n_features_in_ == len(reader.numeric) + len(reader.categorical)


@pytest.mark.parametrize(
    "more",
    [
        {"modelType": "regression"},
        {"classWeight": "balanced"},
        {"resampling": {"type": "oversample", "neighbours": 3}},
        {"resampling": {"ratio": 0.5}},
    ],
)
def test_resampling_that_has_no_meaning_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec):
        config({"trainDataPath": "sklearn:wine", "resampling": "smote", **more})


def test_a_plain_word_and_an_object_mean_the_same() -> None:
    plain, whole = (config({"trainDataPath": "sklearn:wine", "resampling": it}) for it in ("smote", {"type": "smote"}))
    assert plain == whole
    assert config(plain.model_dump(mode="json")) == plain


@pytest.mark.slow  # a training
def test_out_of_fold_predictions_cover_exactly_the_given_rows(home: Path, small_csv: Path) -> None:
    operation = Operation.create(
        home, job(small_csv, algorithm="logistic", resampling="smote", hyperparameterSearch={"nTrials": 2})
    )
    assert operation.run() == 0, operation.events(kind="error")
    metadata = operation.result["metadata"]
    assert metadata["resampling"] == {"type": "smote", "ratio": 1.0}
    predictions = np.load(operation.files.artifacts / "out_of_fold.npy")
    assert predictions.shape == (metadata["rowsUsed"], 2)
    assert not np.isnan(predictions).any()
