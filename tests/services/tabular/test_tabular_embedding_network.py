"""The neural network on torch: embeddings, what was never seen, the same twice, a deadline, weights kept."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from tutelage.services.tabular.models.algorithms import REGISTRY
from tutelage.services.tabular.models.factories import embedding_network
from tutelage.services.tabular.models.learners import Matrices, learn
from tutelage.services.tabular.models.pipeline import predict
from tutelage.services.tabular.models.rounds import Deadline

CLASSES = np.array(["left", "right"])
SMALL = {**REGISTRY["embedding_network"].defaults, "hidden_units": 16, "batch_size": 32, "learning_rate": 0.01}


def rows(count: int, seed: int = 0) -> tuple[Any, Any]:
    """Three numbers, one with holes, and a category of twelve; the answer is the category's own coin and a sign."""
    rng = np.random.default_rng(seed)
    matrix = np.column_stack([rng.normal(size=(count, 3)), rng.integers(0, 12, count)])
    coins = np.random.default_rng(7).integers(0, 2, 12)
    answer = CLASSES[(coins[matrix[:, 3].astype(int)] + (matrix[:, 0] > 0)) % 2]
    matrix[rng.random(count) < 0.2, 2] = np.nan
    return matrix, answer


def trained(epochs: int = 30, deadline: Deadline | None = None, **more: Any) -> tuple[Any, list[dict[str, float]], Any]:
    train, held = rows(600), rows(200, seed=1)
    model = embedding_network("classification", {**SMALL, "max_iter": epochs}, 3, 1)
    told: list[dict[str, float]] = []
    data = Matrices(
        task="classification",
        train=train[0],
        target=train[1],
        validation=held[0],
        validation_target=held[1],
        classes=CLASSES,
        categories=[3],
        **more,
    )

    def report(_: int, values: dict[str, float]) -> None:
        told.append(values)

    count = learn("embedding_network", model, data, early_stopping=30, report=report, deadline=deadline)
    return model, told, count


def test_it_learns_what_a_category_and_a_number_say_together() -> None:
    model, told, count = trained()
    matrix, answer = rows(400, seed=2)
    assert (model.predict(matrix) == answer).mean() > 0.95
    assert len(told) == count.trained
    assert count.best == 1 + int(np.argmin([values["val_logloss"] for values in told]))
    assert predict(model, matrix, CLASSES).sum(axis=1) == pytest.approx(np.ones(400))


def test_the_weights_of_the_best_epoch_are_kept_and_survive_pickling() -> None:
    model, told, _ = trained()
    held, answer = rows(200, seed=1)
    said = predict(model, held, CLASSES)
    loss = -np.log(said[np.arange(200), np.searchsorted(CLASSES, answer)]).mean()
    assert loss == pytest.approx(min(values["val_logloss"] for values in told), rel=1e-6)
    assert np.array_equal(predict(pickle.loads(pickle.dumps(model)), held, CLASSES), said)


def test_the_same_seed_gives_the_same_predictions() -> None:
    matrix, _ = rows(50, seed=3)
    assert np.array_equal(*(predict(trained(epochs=3)[0], matrix, CLASSES) for _ in range(2)))


def test_an_unseen_category_and_a_missing_cell_are_predicted() -> None:
    model, _, _ = trained(epochs=3)
    for odd in (np.nan, 12.0, -1.0, 1e9):
        said = predict(model, np.array([[0.1, np.nan, np.nan, odd]]), CLASSES)
        assert np.isfinite(said).all()
        assert np.array_equal(said, predict(model, np.array([[0.1, np.nan, np.nan, np.nan]]), CLASSES))


def test_it_ends_after_the_epoch_before_the_deadline() -> None:
    clock = iter(range(100))
    deadline = Deadline(4.5, clock=lambda: float(next(clock)))
    _, told, count = trained(deadline=deadline)
    assert (len(told), count.trained, deadline.has_come) == (5, 5, True)


def test_weights_of_rows_count() -> None:
    _, answer = rows(600)
    light, _, _ = trained(epochs=5, weights=np.where(answer == "left", 0.01, 1.0))
    matrix, _ = rows(200, seed=4)
    assert (light.predict(matrix) == "right").mean() > 0.8
