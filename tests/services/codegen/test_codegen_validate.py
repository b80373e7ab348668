"""`tutelage SERVICE validate`, with the process it runs in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from codegen_oracle_support import BAD, GOOD, needs_adapter

from tutelage.interfaces.cli.app import main

pytestmark = pytest.mark.slow  # each starts the worker, and naga's process with it


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are given in, with the service registered."""
    monkeypatch.setenv("TUTELAGE_HOME", str(tmp_path / ".tutelage"))
    monkeypatch.setenv("TUTELAGE_SERVICES", json.dumps({"shaders": "codegen_commands:SERVICE"}))
    monkeypatch.setenv("PYTHONPATH", f"{Path(__file__).parent}:{_python_path()}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _python_path() -> str:
    import tutelage

    return str(Path(tutelage.__file__).parents[1])


def test_a_good_file_is_accepted_and_a_bad_one_is_printed_as_compilers_do(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_adapter()
    (folder / "good.wgsl").write_text(GOOD["a kernel"])
    assert main(["shaders", "validate", "good.wgsl", "--oracle", "both"]) == 0
    assert [line.split(" (")[0] for line in capsys.readouterr().out.splitlines()] == [
        "good.wgsl: accepted by tint",
        "good.wgsl: accepted by naga",
    ]
    (folder / "bad.wgsl").write_text("fn a() {}\nfn f( {")
    assert main(["shaders", "validate", "bad.wgsl", "--oracle", "both"]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "bad.wgsl:2:7: error: expected ')' for function declaration [tint]"
    assert printed[-1] == 'bad.wgsl:2:7: error: expected identifier, found "{" [naga]'


def test_the_document_holds_verdicts_and_no_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bomb.wgsl").write_text(BAD["a bomb of parentheses"])
    assert main(["shaders", "validate", "bomb.wgsl", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["file"], sorted(document)) == (False, "bomb.wgsl", ["file", "ok", "verdicts"])
    [verdict] = document["verdicts"]
    assert "nest 20,001 deep" in verdict["messages"][0]["text"]


def test_bytes_that_are_no_text_are_refused_with_their_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bytes.wgsl").write_bytes(b"fn f() {}\n\xff\xfe")
    assert main(["shaders", "validate", "bytes.wgsl"]) == 1
    assert capsys.readouterr().out.startswith("bytes.wgsl:2:1: error: ")


@pytest.mark.parametrize(
    "given", [["absent.wgsl"], ["absent.wgsl", "--oracle", "gcc"], [], ["a.wgsl", "--unknown"]], ids=str
)
def test_wrong_usage_is_said_and_exits_with_two(
    folder: Path, capsys: pytest.CaptureFixture[str], given: list[str]
) -> None:
    assert main(["shaders", "validate", *given]) == 2
    assert capsys.readouterr().err


def test_a_name_that_is_no_command_and_no_service_is_refused(folder: Path) -> None:
    assert main(["nobody", "validate"]) == 2
