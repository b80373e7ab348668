"""The link to a host: what cuts it, what is a refusal, and what a host may not do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import pytest

from tutelage.client import Client
from tutelage.core.errors import (
    DamagedFile,
    DiskFull,
    Forbidden,
    HostUnreachable,
    IllegalCommand,
    InvalidSpec,
    NotFound,
    RateLimited,
    SupervisorUnreachable,
    TutelageError,
    Unauthorized,
    WrongHost,
)
from tutelage.core.hosts import HostAddress, host_of
from tutelage.executors.host.link import HostLink, _inside, _series

LINK = HostLink("gpu", HostAddress(url="http://127.0.0.1:9", token="tut_x"))


def raising(error: Exception) -> Any:
    def call(_: Client) -> NoReturn:
        raise error

    return call


@pytest.mark.parametrize(
    "kind", [SupervisorUnreachable, Unauthorized, Forbidden, WrongHost, RateLimited, DiskFull, TutelageError]
)
def test_trouble_of_the_link_is_a_cut(kind: type[TutelageError]) -> None:
    with pytest.raises(HostUnreachable, match="host 'gpu' cannot be reached: why"):
        LINK.ask(raising(kind("why")))


@pytest.mark.parametrize("kind", [InvalidSpec, IllegalCommand, NotFound])
def test_a_refusal_stays_one(kind: type[TutelageError]) -> None:
    with pytest.raises(kind, match="why"):
        LINK.ask(raising(kind("why")))


def test_an_answer_in_other_words_is_a_cut() -> None:
    with pytest.raises(HostUnreachable, match="not understood"):
        LINK.ask(raising(ValueError("no JSON")))


@pytest.mark.parametrize("name", ["../spec.json", "a/../../b", "/etc/passwd"])
def test_no_artifact_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(DamagedFile):
        _inside(tmp_path, name)


@pytest.mark.parametrize(("executor", "host"), [("local", None), ("host:gpu", "gpu"), ("host:", "")])
def test_an_executor_names_its_host(executor: str, host: str | None) -> None:
    assert host_of(executor) == host


def test_the_first_two_numbers_of_a_version_count() -> None:
    assert _series("0.1.0") == _series("0.1.9") != _series("0.2.0")


def test_a_host_that_does_not_answer_says_so() -> None:
    info = LINK.info()
    assert (info.reachable, info.cpus) == (False, None)
    assert "cannot be reached" in info.detail
