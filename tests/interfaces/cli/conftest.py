from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_support import Cli, Ran

from tutelage.client import Client, connect
from tutelage.interfaces.cli.app import main
from tutelage.settings import load_settings

FAKE = json.dumps({"fake": "tutelage.testing.fake:SERVICE"})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of its own for each module; its supervisor ends with it."""
    folder = tmp_path_factory.mktemp("home") / ".tutelage"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTELAGE_HOME", str(folder))
        patch.setenv("TUTELAGE_SERVICES", FAKE)
        patch.setenv("COLUMNS", "120")
        patch.delenv("TUTELAGE_URL", raising=False)
        yield folder
        end_supervisor(folder)


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[Client]:
    with connect(load_settings(home)) as connected:
        yield connected


@pytest.fixture
def cli(home: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(list(arguments))
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


def end_supervisor(home: Path) -> None:
    """End the home's supervisor by the id in its own record."""
    try:
        os.kill(json.loads((home / "supervisor.json").read_text())["pid"], signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        return
