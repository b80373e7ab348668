"""Estimators around estimators answer by their formulas, and are exported with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from test_tabular_exports import asked

from tutelage.services.tabular.models.exports import export
from tutelage.services.tabular.models.pipeline import whole_pipeline
from tutelage.services.tabular.models.wrappers import SmoothedVotes

ROWS = np.array([[0.0], [1.0], [10.0], [11.0], [12.0], [13.0], [14.0], [15.0]])
LABELS = np.array(["a", "a", "b", "b", "b", "b", "b", "b"])


def test_a_vote_more_goes_to_the_labels_by_their_shares() -> None:
    model = SmoothedVotes(KNeighborsClassifier(3)).fit(ROWS, LABELS)
    said = model.predict_proba([[0.0], [13.0]])
    assert said == pytest.approx(np.array([[(2 + 0.25) / 4, (1 + 0.75) / 4], [0.25 / 4, (3 + 0.75) / 4]]))
    assert said.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert list(model.predict([[0.0], [13.0]])) == ["a", "b"]


@pytest.mark.parametrize(("format", "needs"), [("skops", "skops.io"), ("onnx", "skl2onnx")])
def test_the_vote_is_exported_too(tmp_path: Path, format: str, needs: str) -> None:
    pytest.importorskip(needs)
    made = asked(tmp_path / f"m.{format}", regression=False)
    encode, reader = made.pipeline["encode"], made.pipeline["columns"].reader
    labels = made.pipeline["model"].predict(encode.transform(made.typed))
    model = SmoothedVotes(KNeighborsClassifier(5)).fit(encode.transform(made.typed), labels)
    done = export(replace(made, pipeline=whole_pipeline(reader, encode, model)), format=format)
    assert (done.reason, done.facts["largest_difference"] <= 1e-5) == ("", True)
