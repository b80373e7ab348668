"""Smaller renderers: predictions, starting specs, inspections, failure documents, events as lines."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from cli_support import ID, WHEN, operation, text

from tutelage.client import load_document
from tutelage.core import wire
from tutelage.core.errors import InvalidSpec, TutelageError
from tutelage.interfaces.cli import checkup, inspection, predictions, starting, train
from tutelage.interfaces.cli.follow import sentence
from tutelage.settings import Settings

ANSWER = {"predictions": ["=1+1", "no"], "classes": ["=1+1", "no"], "probabilities": [[0.9, 0.1], [0.2, 0.8]]}


def test_predictions_are_written_exactly_and_formulas_are_escaped(tmp_path: Path) -> None:
    predictions.write_csv(ANSWER, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["prediction", "probability_=1+1", "probability_no"],
        ["'=1+1", "0.9", "0.1"],
        ["no", "0.2", "0.8"],
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_text_that_a_spreadsheet_would_run_is_quoted(cell: str) -> None:
    assert predictions.escaped(cell) == f"'{cell}"


def test_numbers_are_not_quoted() -> None:
    assert predictions.escaped(-1.5) == -1.5


def test_long_predictions_are_cut_with_a_word() -> None:
    data = {"predictions": [float(index) for index in range(30)], "classes": None, "probabilities": None}
    assert "20 of 30 rows" in text(*predictions.shown(data, limit=20))


def test_an_answer_of_another_form_is_said() -> None:
    with pytest.raises(TutelageError, match="no predictions"):
        predictions.rows({"prediction": 1})


def info(**changes: object) -> wire.ServiceInfo:
    schema = {
        "required": ["trainDataPath"],
        "properties": {
            "trials": {"description": "number of trials", "default": 30},
            "trainDataPath": {"description": "a CSV file"},
        },
    }
    base: dict[str, object] = {
        "name": "tabular",
        "about": "trains on tables",
        "unit": "trial",
        "scopes": {},
        "supports": [],
        "metrics": [],
        "tunables": [],
        "presets": {"quick": {"trials": 20}, "none": {}},
        "commands": {},
        "config_schema": schema,
    }
    return wire.ServiceInfo.model_validate({**base, **changes})


@pytest.mark.parametrize(("preset", "trials"), [(None, 20), ("none", None)])
def test_the_starting_spec_is_a_spec(tmp_path: Path, preset: str | None, trials: int | None) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(starting.text(info(), preset))
    document = load_document(path)
    assert document["config"].get("trials") == trials
    assert document["config"]["trainDataPath"].endswith(starting.CHANGE_ME)
    assert "# number of trials" in path.read_text()


def test_an_inspection_in_sentences() -> None:
    seen = {
        "rows": 569,
        "columnKinds": [{"name": "a", "kind": "numeric", "unique": 4, "missing": 1, "used": True, "note": ""}],
        "target": {"name": "y", "task": "classification", "classes": {"0": 212, "1": 357}},
        "quality": {"score": 90, "reasons": ["a few missing"]},
        "leakSuspects": [{"columns": ["a"], "why": "alone explains the target"}],
        "suggestedJob": {"task": "train_model"},
    }
    drawn = text(*inspection.lines(seen))
    for part in (
        "569 rows, 1 column",
        "0 in 212 rows (37 %)",
        "Quality 90 of 100: a few missing",
        "Leak suspect: a alone",
    ):
        assert part in drawn


def test_a_failure_becomes_the_failure_document() -> None:
    error = {"code": "target_missing", "message": "no target", "hint": "name it"}
    own = {"success": False, "error": error, "partial": {"nTrials": 3}}
    assert train.result_document(operation(state="failed", error=error, result=own)) == own
    assert train.result_document(operation(state="failed", error=error)) == {
        "success": False,
        "error": error,
        "suggestions": ["name it"],
        "partial": {},
        "unrecognized": [],
    }
    assert train.result_document(operation(state="completed", result={"success": True})) == {"success": True}
    assert train.result_document(operation(state="cancelled"))["error"]["code"] == "cancelled"
    assert train.refusal(InvalidSpec("no", hint="so"))["error"] == {
        "code": "invalid_spec",
        "message": "no",
        "hint": "so",
    }


@pytest.mark.parametrize(
    ("kind", "data", "line"),
    [
        ("state", {"state": "running", "why": "attempt 1"}, "running: attempt 1"),
        ("state", {"waiting_for": None}, ""),
        ("phase", {"phase": "search"}, "phase: search"),
        ("metric", {"values": {"loss": "nan", "auc": 0.5}}, "step 3  loss nan  auc 0.5"),
        ("verdict", {"verdict": "improving", "sentence": "It falls."}, "improving: It falls."),
        (
            "command",
            {"verb": "stop", "principal": {"name": "maria"}, "reason": ""},
            "stop asked by maria: no reason given",
        ),
        ("progress", {"done": 1}, ""),
    ],
)
def test_events_as_lines(kind: str, data: dict[str, object], line: str) -> None:
    event = wire.Event.model_validate(
        {"cursor": "1", "seq": 1, "operation": ID, "kind": kind, "at": WHEN, "step": 3, "data": data}
    )
    assert sentence(event) == line


def test_a_home_that_is_not_made_yet_is_in_order(tmp_path: Path) -> None:
    found = {check.name: check for check in checkup.checks(Settings(home=tmp_path / ".tutelage"))}
    assert found["home"].ok
    assert "not made yet" in found["home"].detail
    assert "supervisor" not in found


def test_a_home_that_others_can_read_is_wrong(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = {check.name: check for check in checkup.checks(Settings(home=tmp_path))}
    assert found["home"].ok is False
    assert found["supervisor"].ok is None


def test_a_remote_that_does_not_answer_is_wrong(tmp_path: Path) -> None:
    remote = Settings(home=tmp_path, url="http://127.0.0.1:9", token="t")
    found = {check.name: check for check in checkup.checks(remote)}
    assert found["supervisor"].ok is False
