"""One supervisor a home, however many ask for it at once."""

from __future__ import annotations

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tutelage.client import connect
from tutelage.client.starter import find, recorded
from tutelage.core.errors import SupervisorUnreachable
from tutelage.core.layout import HomeFiles
from tutelage.settings import Settings


def test_a_home_without_a_record_has_no_supervisor(tmp_path: Path) -> None:
    files = HomeFiles(tmp_path)
    assert find(files) is None
    files.supervisor.write_text("{damaged")
    assert recorded(files) is None
    with pytest.raises(SupervisorUnreachable, match="no supervisor answers"):
        connect(Settings(home=tmp_path), start=False)


def test_a_record_whose_socket_nobody_holds_counts_as_absent(tmp_path: Path) -> None:
    files = HomeFiles(tmp_path)
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "s.sock"))
    files.supervisor.write_text(f'{{"socket": "{tmp_path / "s.sock"}"}}')
    assert recorded(files) is not None
    assert find(files) is None


@pytest.mark.slow
def test_many_at_once_start_one_supervisor(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / ".tutelage")  # slow: a process is started

    def ask(_: int) -> int:
        with connect(settings) as client:
            return client.health().pid

    with ThreadPoolExecutor(8) as askers:
        found = set(askers.map(ask, range(8)))
    os.kill(found.pop(), signal.SIGTERM)
    assert not found
    assert settings.home.stat().st_mode & 0o777 == 0o700
