"""Importance by shuffling: what is useless covers zero, what is useful does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score, root_mean_squared_error

from tutelage.services.tabular.models.permutation import Rows, permute


@pytest.fixture
def fitted() -> tuple[Any, Rows]:
    """A linear model that overfits a useless column a little, and rows that it has not seen."""
    dice = np.random.default_rng(0)
    matrix = dice.normal(size=(800, 4))
    truth = 3 * matrix[:, 0] + matrix[:, 1] + matrix[:, 2] + dice.normal(size=800)
    model = LinearRegression().fit(matrix[:100], truth[:100])
    sources = ["strong", "pair", "pair", "useless"]
    return model, Rows(matrix=matrix[100:], truth=truth[100:], classes=None, sources=sources)


def ask(model: Any, rows: Rows, **more: Any) -> Any:
    asked = {"repeats": 10, "max_rows": 2000, "seed": 1, "budget_s": 30.0, **more}
    return permute(rows, model.predict, root_mean_squared_error, higher_is_better=False, **asked)


def test_intervals_cover_what_is_useless_and_not_what_is_useful(fitted: tuple[Any, Rows]) -> None:
    found = ask(*fitted)
    assert list(found.columns) == ["strong", "pair", "useless"]
    assert (found.repeats, found.rows) == (10, 700)
    for name in ("strong", "pair"):
        assert 0 < found.columns[name]["low"] < found.columns[name]["mean"] < found.columns[name]["high"]
    useless = found.columns["useless"]
    assert useless["low"] <= 0 <= useless["high"]


def test_a_column_s_mean_is_scikit_learns_within_its_interval(fitted: tuple[Any, Rows]) -> None:
    model, rows = fitted
    found = ask(model, rows)
    theirs = permutation_importance(
        model, rows.matrix, rows.truth, scoring="neg_root_mean_squared_error", n_repeats=30, random_state=0
    )
    strong = found.columns["strong"]
    assert strong["low"] <= theirs.importances_mean[0] <= strong["high"]


def test_the_interval_covers_the_true_importance_as_often_as_it_says() -> None:
    """The useless column's true importance is zero for a model that ignores all but one column's noise."""
    covered = 0
    for seed in range(40):
        dice = np.random.default_rng(seed)
        matrix = dice.normal(size=(300, 2))
        truth = matrix[:, 0] + dice.normal(size=300)
        model = LinearRegression().fit(dice.normal(size=(10, 2)), dice.normal(size=10))
        model.coef_, model.intercept_ = np.array([1.0, 0.5]), 0.0
        found = ask(model, Rows(matrix=matrix, truth=truth, classes=None, sources=["a", "b"]), seed=seed)
        # shuffling b leaves the error's variance as it is: 1 + 0.25 before and after
        covered += found.columns["b"]["low"] <= 0 <= found.columns["b"]["high"]
    assert covered >= 35


def test_the_same_seed_gives_the_same(fitted: tuple[Any, Rows]) -> None:
    assert ask(*fitted) == ask(*fitted)
    assert ask(*fitted) != ask(*fitted, seed=2)


def test_a_slow_predictor_gets_fewer_repeats_and_rows_then_nothing(fitted: tuple[Any, Rows]) -> None:
    _, rows = fitted

    now_s = [0.0]

    class Slow:
        seconds = 1e-3  # a row

        def predict(self, matrix: Any) -> Any:
            now_s[0] += self.seconds * len(matrix)
            return matrix[:, 0]

    slow = Slow()
    for budget_s, repeats, num_rows in ((1000.0, 10, 700), (14.0, 6, 700), (5.0, 5, 333), (1.0, 5, 66)):
        found = ask(slow, rows, budget_s=budget_s, clock=lambda: now_s[0])
        assert (found.repeats, found.rows) == (repeats, num_rows)
    assert ask(slow, rows, budget_s=0.5, clock=lambda: now_s[0]) is None


def test_a_sample_holds_every_class_however_rare() -> None:
    dice = np.random.default_rng(0)
    matrix = dice.normal(size=(5000, 1))
    truth = np.where(np.arange(5000) == 4321, "rare", "usual")
    rows = Rows(matrix=matrix, truth=truth, classes=np.array(["rare", "usual"]), sources=["a"])

    def area(truth: Any, said: Any) -> float:
        return float(roc_auc_score(truth == "rare", said))

    found = permute(
        rows, lambda rows: rows[:, 0], area, higher_is_better=True, repeats=5, max_rows=60, seed=0, budget_s=30.0
    )
    assert found is not None
    assert found.rows == 60
