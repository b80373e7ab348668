"""Other formats of a model are kept only where they predict the same."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import FunctionTransformer
from tabular_support import make_table

from tutelage.services.tabular.data.types import ColumnReader, infer_columns
from tutelage.services.tabular.models.calibration import Calibrator, Curve
from tutelage.services.tabular.models.clusterers import DbscanClusters, KMeansClusters
from tutelage.services.tabular.models.exports import TRUSTED, Export, export
from tutelage.services.tabular.models.pipeline import encoder, whole_pipeline
from tutelage.services.tabular.models.texts import TextColumns
from tutelage.services.tabular.models.wrappers import AtThreshold, Calibrated, ScaledTarget

TITLES = list(product(("Chief", "Deputy", "Junior"), ("baker", "driver", "nurse", "clerk"), ("north", "south")))


def asked(to: Path, *, regression: bool, wrap: Any = None) -> Export:
    """A fitted pipeline on a small table, whose model may be replaced."""
    table = make_table(200, regression=regression)
    reader = ColumnReader(infer_columns(table, names=[name for name in table if name != "y"], asked=False))
    typed = reader.transform(table)
    encode = encoder(reader, "one_hot")
    matrix, target = encode.fit_transform(typed), table["y"].to_numpy(dtype=float if regression else str)
    fitted = ScaledTarget(Ridge()).fit(matrix, target) if regression else LogisticRegression().fit(matrix, target)
    model = wrap(fitted) if wrap else fitted
    classes = None if regression else np.unique(target)
    task = "regression" if regression else "classification"
    return Export(pipeline=whole_pipeline(reader, encode, model), typed=typed, task=task, classes=classes, to=to)


@pytest.mark.parametrize("regression", [False, True])
@pytest.mark.parametrize(("format", "needs"), [("skops", "skops.io"), ("onnx", "skl2onnx")])
def test_a_model_is_exported_and_predicts_the_same(tmp_path: Path, format: str, needs: str, regression: bool) -> None:
    pytest.importorskip(needs)
    to = tmp_path / f"model.{format}"
    done = export(asked(to, regression=regression), format=format)
    assert done.reason == ""
    assert to.stat().st_size > 0
    assert done.facts["largest_difference"] <= 1e-5
    assert done.facts["rows_compared"] == 200


CALIBRATOR = Calibrator(method="sigmoid", num_rows=9, curves=(Curve(slope=1.2, shift=0.1),))


def test_a_calibrated_model_is_exported(tmp_path: Path) -> None:
    pytest.importorskip("skops.io")
    made = asked(tmp_path / "m.skops", regression=False, wrap=lambda model: Calibrated(model, CALIBRATOR))
    done = export(made, format="skops")
    assert (done.reason, done.facts["largest_difference"]) == ("", 0.0)


@pytest.mark.parametrize("clusterer", [KMeansClusters(3), DbscanClusters()])
def test_clusters_are_exported(tmp_path: Path, clusterer: Any) -> None:
    pytest.importorskip("skops.io")
    made = asked(tmp_path / "m.skops", regression=True)
    matrix = made.pipeline["encode"].transform(made.typed)
    pipeline = whole_pipeline(made.pipeline["columns"].reader, made.pipeline["encode"], clusterer.fit(matrix))
    done = export(replace(made, pipeline=pipeline, task="clustering"), format="skops")
    assert (done.reason, done.facts["largest_difference"]) == ("", 0.0)


def test_text_columns_are_exported(tmp_path: Path) -> None:
    io = pytest.importorskip("skops.io")
    texts = pd.DataFrame({"title": [f"{rank} {trade} {place}" for rank, trade, place in TITLES]})
    encode = TextColumns().fit(texts)
    io.dump(encode, tmp_path / "t.skops")
    found = io.get_untrusted_types(file=tmp_path / "t.skops")
    assert set(found) <= TRUSTED
    assert np.array_equal(io.load(tmp_path / "t.skops", trusted=found).transform(texts), encode.transform(texts))


def test_skops_is_refused_for_a_type_that_nobody_reviewed(tmp_path: Path) -> None:
    pytest.importorskip("skops.io")

    def wrap(model: Any) -> Any:
        model.extra = FunctionTransformer(func=np.load)
        return AtThreshold(model, 0.3)

    to = tmp_path / "model.skops"
    done = export(asked(to, regression=False, wrap=wrap), format="skops")
    assert done.reason.startswith("it holds types that were not reviewed")
    assert not to.exists()


def test_a_model_at_a_threshold_predicts_through_its_pipeline(tmp_path: Path) -> None:
    made = asked(tmp_path / "x", regression=False, wrap=lambda model: AtThreshold(model, 0.9))
    table = make_table(200)
    said = made.pipeline.predict(table)
    assert said.tolist() == np.where(made.pipeline.predict_proba(table)[:, 1] >= 0.9, "stays", "leaves").tolist()
