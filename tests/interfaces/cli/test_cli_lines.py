"""What needs no supervisor: help, refusals, wrong command lines, start-up without heavy imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import Cli

from tutelage.interfaces.cli.app import PANELS, main

COMMANDS = [name for commands in PANELS.values() for name in commands]
SPEAKS = {"mcp"}
"""Commands whose output is a protocol of its own."""

HEAVY = ("pydantic", "httpx", "sqlalchemy", "fastapi", "sklearn", "torch", "pandas", "numpy")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a home here or above."""
    monkeypatch.setenv("TUTELAGE_HOME", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - SPEAKS))
def test_every_command_has_help_and_json(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    printed = capsys.readouterr().out
    assert "--json" in printed
    assert "Usage: tutelage " + command in printed


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert [name for name in COMMANDS if f" {name} " not in printed] == []


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from tutelage.interfaces.cli.app import main; main(['--help']); "
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"


def test_a_mistyped_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    assert "train" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [("show",), ("train",), ("train", "none.json"), ("ops", "--limit", "0"), ("metrics", "last", "--points", "x")],
)
def test_a_wrong_command_line_exits_with_2(elsewhere: Path, arguments: tuple[str, ...]) -> None:
    assert main(list(arguments)) == 2


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("tutelage 0.")


def test_reading_where_nothing_was_trained_makes_no_home(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "last"]) == 2
    assert "nothing has been trained here" in " ".join(capsys.readouterr().err.split())
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [("predict", "last"), ("predict", "last", "a.csv", "--row", "{}"), ("predict", "last", "--row", "{")]
)
def test_predict_wants_rows_or_a_file(elsewhere: Path, arguments: tuple[str, ...]) -> None:
    assert main(list(arguments)) == 2


def test_a_supervisor_that_cannot_start_shows_its_log(
    elsewhere: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = elsewhere / "broken"
    (broken / "tutelage.db").mkdir(parents=True)
    monkeypatch.setenv("TUTELAGE_HOME", str(broken))
    ran = cli("ops")
    assert ran.code == 1
    assert "Error (supervisor unreachable)" in ran.err
    assert "log: " in ran.err
