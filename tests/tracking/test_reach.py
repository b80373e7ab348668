"""The probe: it says within seconds whether a tracker may be asked and answers."""

from __future__ import annotations

import socket
import sqlite3
import time
from pathlib import Path

import pytest
from tests.tracking.servers import answering, black_hole, dripping, free_port

from tutelage.tracking.reach import Unreachable, pin, reach, resolve


@pytest.fixture(autouse=True)
def _unpinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the process its resolver back: `pin` is meant for one that ends."""
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)


@pytest.mark.parametrize("status", [200, 401, 404])
def test_a_server_that_answers_is_reached(status: int) -> None:
    with answering(status) as uri:
        reach(uri)


def test_a_closed_port_is_said_at_once() -> None:
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="refused"):
        reach(f"http://127.0.0.1:{free_port()}")
    assert time.monotonic() - begun < 2


def test_a_failing_server_is_not_asked_further() -> None:
    with answering(500) as uri, pytest.raises(Unreachable, match="HTTP 500"):
        reach(uri)


def test_a_redirect_is_not_followed() -> None:
    with answering(302, location="http://169.254.169.254/") as uri, pytest.raises(Unreachable, match="redirects"):
        reach(uri)


@pytest.mark.slow  # the probe's whole time: 2 s and 4 s
@pytest.mark.parametrize("server", [black_hole, dripping])
def test_a_server_that_never_answers_costs_less_than_five_seconds(server) -> None:
    with server() as uri:
        begun = time.monotonic()
        with pytest.raises(Unreachable):
            reach(uri)
        assert time.monotonic() - begun < 5


def test_a_name_is_held_to_the_addresses_that_were_checked() -> None:
    pin("tracker", resolve("127.0.0.1", 80))
    assert socket.getaddrinfo("tracker", 5000)[0][4] == ("127.0.0.1", 5000)
    with pytest.raises(socket.gaierror, match="not the tracker"):
        socket.getaddrinfo("elsewhere", 5000)


def test_a_name_that_leads_to_a_link_local_address_is_refused() -> None:
    pin("tracker", [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))])
    with pytest.raises(Unreachable, match="link-local"):
        reach("http://tracker:80")


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE events (row INTEGER)")
    connection.close()
    with pytest.raises(Unreachable, match="something else"):
        reach(f"sqlite:///{path}")
    path.write_text("no database at all, but long enough to be read as one")
    with pytest.raises(Unreachable, match="cannot be read"):
        reach(f"sqlite:///{path}")


def test_a_database_that_is_not_there_yet_needs_its_folder(tmp_path: Path) -> None:
    reach(f"sqlite:///{tmp_path}/new.db")
    with pytest.raises(Unreachable, match="no folder"):
        reach(f"sqlite:///{tmp_path}/none/new.db")
