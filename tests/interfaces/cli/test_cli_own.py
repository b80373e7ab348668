"""Commands that services bring along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tutelage
from tutelage.interfaces.cli.app import main


@pytest.fixture(autouse=True)
def _registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = (Path(__file__).parent, Path(tutelage.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", ":".join(map(str, places)))
    monkeypatch.setenv("TUTELAGE_HOME", str(tmp_path / ".tutelage"))
    monkeypatch.setenv("TUTELAGE_SERVICES", json.dumps({"echoes": "own_commands:SERVICE"}))


def test_arguments_and_options_come_from_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["echoes", "echo", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("WORD", "--times", "--loud", "--no-loud", "how often", "Say it."))
    assert main(["echoes"]) == 2
    assert "Say it." in capsys.readouterr().out


def test_text_is_for_people_and_the_document_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["echoes", "echo", "hello"]) == 0
    assert capsys.readouterr().out == "HELLO\n"
    assert main(["echoes", "echo", "hello", "--times", "2", "--no-loud", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"words": ["hello", "hello"]}


def test_an_error_of_the_worker_is_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["echoes", "echo", "hello", "--times", "0", "--json"]) == 2
    problem = json.loads(capsys.readouterr().out)
    assert (problem["code"], problem["detail"], problem["hint"]) == (
        "not_found",
        "nothing is said",
        "say it at least once",
    )


@pytest.mark.parametrize(
    "given",
    [["script"], ["echoes", "sing"], ["echoes", "echo"], ["echoes", "echo", "a", "--times", "many"], ["nobody"]],
)
def test_what_no_service_brings_is_refused(given: list[str]) -> None:
    assert main(given) == 2


def test_a_value_that_the_model_refuses_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["echoes", "echo", "a", "--times", "9"]) != 0
    assert "times" in capsys.readouterr().err
