from __future__ import annotations

from typing import Any

import pytest
from tabular_support import config

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular import catalog
from tutelage.services.tabular.catalog import CLASSIFICATION, CLUSTERING, REGRESSION
from tutelage.services.tabular.selection import select

EVERY = ("xgboost", "catboost")
RULES = {"strategy": "rules"}
DEFAULTS = {"is_searched": False}
TABLE: tuple[tuple[str, int, dict[str, Any], tuple[str, ...], str, tuple[str, ...]], ...] = (
    (CLASSIFICATION, 100, RULES, EVERY, "random_forest", ()),
    (CLASSIFICATION, 9_999, RULES, EVERY, "random_forest", ()),
    (CLASSIFICATION, 10_000, RULES, EVERY, "xgboost", ()),
    (CLASSIFICATION, 100_000, RULES, EVERY, "xgboost", ()),
    (CLASSIFICATION, 100_000, RULES, (), "lightgbm", ("xgboost",)),
    (CLASSIFICATION, 100_001, RULES, EVERY, "neural_network", ()),
    (REGRESSION, 5_000, {**RULES, "is_linear": True}, EVERY, "ridge", ()),
    (REGRESSION, 5_000, {**RULES, "is_linear": False}, EVERY, "gradient_boosting", ()),
    (CLASSIFICATION, 499, {}, EVERY, "random_forest", ()),
    (REGRESSION, 500, {}, EVERY, "lightgbm", ()),
    (CLASSIFICATION, 500, DEFAULTS, EVERY, "catboost", ()),
    (CLASSIFICATION, 500, DEFAULTS, ("xgboost",), "xgboost", ("catboost",)),
    (CLASSIFICATION, 500, DEFAULTS, (), "lightgbm", ("catboost", "xgboost")),
    (CLUSTERING, 500, {}, EVERY, "kmeans", ()),
)


@pytest.mark.parametrize(("task", "num_rows", "how", "installed", "name", "absent"), TABLE)
def test_the_table_of_algorithms(
    monkeypatch: pytest.MonkeyPatch,
    task: str,
    num_rows: int,
    how: dict[str, Any],
    installed: tuple[str, ...],
    name: str,
    absent: tuple[str, ...],
) -> None:
    monkeypatch.setattr(catalog, "find_spec", lambda module: module if module in installed else None)
    found = select(task, num_rows, **how)
    assert (found.name, found.absent) == (name, absent)


def test_a_way_of_choosing_beside_a_named_algorithm_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="svm is named"):
        config({"trainDataPath": "sklearn:wine", "algorithm": "svm", "strategy": "rules"})
