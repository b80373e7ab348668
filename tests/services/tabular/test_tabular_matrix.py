"""Every algorithm on three real tables of each of its tasks: above the trivial model, the same after a kill, of use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tabular_support import Operation, config, kill, make_run, scores_of
from test_tabular_documents import VALID

from tutelage.core.errors import TutelageError
from tutelage.core.layout import OperationFiles
from tutelage.services.tabular.catalog import ALGORITHMS, CLASSIFICATION, CLUSTERING, REGRESSION, direction_of
from tutelage.services.tabular.train import train
from tutelage.services.tabular.use import use

# three trainings for each algorithm and task, and one killed and resumed
pytestmark = [pytest.mark.slow, pytest.mark.needs_shared_data]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A part of a real table: its target, a column of categories where it has one, and a column of numbers."""

    file: str
    target: str | None
    number: str
    category: str | None = None
    num_rows: int = 1000

    def write(self, source: Path, folder: Path) -> Path:
        """Write the part, drawn by a fixed seed."""
        path = folder / "table.csv"
        frame = pd.read_csv(source / "tabular" / self.file)
        frame.sample(self.num_rows, random_state=0).to_csv(path, index=False)
        return path


TABLES: Mapping[str, tuple[Table, ...]] = {
    CLASSIFICATION: (
        Table(file="telco_churn.csv", target="Churn", number="tenure", category="Contract"),
        Table(file="adult.csv.gz", target="class", number="age", category="workclass"),
        Table(file="letter.csv", target="lettr", number="x.box"),
    ),
    REGRESSION: (
        Table(
            file="california_housing.csv", target="median_house_value", number="households", category="ocean_proximity"
        ),
        Table(file="diamonds.csv.gz", target="price", number="carat", category="cut"),
        Table(
            file="employee_salaries.csv", target="current_annual_salary", number="year_first_hired", category="gender"
        ),
    ),
    CLUSTERING: (
        Table(file="telco_churn.csv", target="Churn", number="tenure", category="Contract"),
        Table(file="california_housing.csv", target=None, number="households", category="ocean_proximity"),
        Table(file="mammography.csv", target="class", number="area"),
    ),
}
INSTALLED = [name for name, entry in ALGORITHMS.items() if entry.is_installed]
PAIRS = [(task, name) for task in TABLES for name in INSTALLED if task in ALGORITHMS[name].tasks]
WHOLE = os.environ.get("TUTELAGE_MATRIX") == "all"
"""Whether every pair is trained on every table (`make matrix`, half an hour), or a few that differ in kind."""

FEW = {(CLASSIFICATION, "lightgbm"), (REGRESSION, "extra_trees"), (CLASSIFICATION, "knn"), (CLUSTERING, "kmeans")}
FEW_OTHERS = {(REGRESSION, "ridge", "employee_salaries.csv"), (CLUSTERING, "dbscan", "mammography.csv")}
FIRST = [(task, name, TABLES[task][0]) for task, name in PAIRS if WHOLE or (task, name) in FEW]
OTHERS = [
    (task, name, table)
    for task, name in PAIRS
    for table in TABLES[task][1:]
    if WHOLE or (task, name, table.file) in FEW_OTHERS
]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A finished training, and its answers."""

    files: OperationFiles
    document: Mapping[str, Any]
    result: Mapping[str, Any]

    def answer(self, *rows: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the model says to rows."""
        answers: list[Any] = []
        use(self.files.root, config(self.document), iter([{"rows": list(rows)}]), answers.append)
        (answer,) = answers
        return answer


def job_of(task: str, algorithm: str, table: Table, path: Path, *, num_trials: int) -> dict[str, Any]:
    """Return a short job: two folds, and parameters that are the algorithm's own."""
    document: dict[str, Any] = {
        "modelType": task,
        "algorithm": algorithm,
        "trainDataPath": str(path),
        "validationStrategy": {"folds": 2},
        "hyperparameterSearch": {"nTrials": num_trials},
    }
    return {**document, "targetColumn": table.target} if table.target else document


def train_here(home: Path, document: Mapping[str, Any]) -> Model:
    """Train in this process; the fits run in their child as ever."""
    run = make_run(home)
    result = train(config(document), run)
    assert result is not None
    return Model(files=OperationFiles(run.dir), document=document, result=result)


def rows_of(path: Path, count: int = 3) -> list[dict[str, Any]]:
    """Return the first rows of a table, as a caller would send them."""
    rows: list[dict[str, Any]] = pd.read_csv(path).head(count).astype(object).to_dict("records")
    return [{name: None if pd.isna(cell) else cell for name, cell in row.items()} for row in rows]


def check_scores(result: Mapping[str, Any]) -> None:
    """The document is valid, and the objective better than the trivial model's, over the folds and on the test."""
    VALID.validate(result)
    metadata, objective = result["metadata"], result["metadata"]["objective"]
    sign = 1 if direction_of(objective) == "maximize" else -1
    trivial = metadata["baseline"][objective]
    for value in (result["metrics"]["test"][objective], result["metrics"]["crossValidation"][f"{objective}_mean"]):
        assert sign * value > sign * trivial, (objective, value, trivial)


def check_answers(model: Model, table: Table, path: Path) -> None:
    """Missing cells, unseen categories and a word for a number are predicted; an absent column is named."""
    whole, *others = rows_of(path)
    strange = {**whole, table.category: "Atlantis"} if table.category else {**whole, table.number: "Atlantis"}
    answer = model.answer(whole, strange, *({**row, table.number: None} for row in others))
    assert len(answer["predictions"]) == 4
    assert not any(pd.isna(said) for said in answer["predictions"])
    assert any("Atlantis" in text for text in answer["warnings"]), answer["warnings"]
    for shares in answer["probabilities"] or ():
        assert sum(shares) == pytest.approx(1)
    with pytest.raises(TutelageError, match=repr(table.number)) as raised:
        model.answer({name: cell for name, cell in whole.items() if name != table.number})
    assert (raised.value.code, "may be null" in str(raised.value.hint)) == ("feature_missing", True)


def outcome(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may not depend on a kill."""
    told = {key: result["metadata"][key] for key in ("nTrials", "bestTrialNumber", "rounds", "rowsUsed")}
    return {**told, "metrics": scores_of(result), **{key: result[key] for key in ("bestParams", "featureImportance")}}


def train_killed(home: Path, document: Mapping[str, Any]) -> Model:
    """Train in a worker that is killed after its first fit, and in one that goes on."""
    operation = Operation.create(home, document)
    worker = operation.start()
    operation.wait_for(lambda seen: any(name == "fit_s" for _, _, name, _ in seen.metrics()))
    kill(worker)
    assert not operation.files.result.exists(), "the kill came too late"
    assert operation.run(2) == 0, operation.error(2)
    return Model(files=operation.files, document=document, result=operation.result)


def named(cases: list[tuple[str, str, Table]]) -> list[Any]:
    return [pytest.param(*case, id=f"{case[0]}-{case[1]}-{case[2].file.partition('.')[0]}") for case in cases]


@pytest.mark.parametrize(("task", "algorithm", "table"), named(FIRST))
def test_every_algorithm_is_above_trivial_answers_new_rows_and_ends_after_a_kill_as_if_undisturbed(
    tmp_path: Path, home: Path, shared_data: Path, task: str, algorithm: str, table: Table
) -> None:
    path = table.write(shared_data, tmp_path)
    document = job_of(task, algorithm, table, path, num_trials=2)
    calm = train_here(home, document)
    check_scores(calm.result)
    check_answers(calm, table, path)
    killed = train_killed(home, document)
    assert outcome(killed.result) == outcome(calm.result)
    rows = rows_of(path, 50)
    assert killed.answer(*rows) == calm.answer(*rows)


@pytest.mark.parametrize(("task", "algorithm", "table"), named(OTHERS))
def test_every_algorithm_is_above_trivial_and_answers_new_rows(
    tmp_path: Path, home: Path, shared_data: Path, task: str, algorithm: str, table: Table
) -> None:
    path = table.write(shared_data, tmp_path)
    model = train_here(home, job_of(task, algorithm, table, path, num_trials=1))
    check_scores(model.result)
    check_answers(model, table, path)
