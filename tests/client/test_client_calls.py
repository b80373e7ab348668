"""Every method of Platform is asked over HTTP, once, with the key that makes repeating safe."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from client_support import ID, Server, answer, event, operation, stream

from tutelage.client import Client
from tutelage.core import ports, wire
from tutelage.core.errors import IllegalCommand, NotFound, SupervisorUnreachable, TutelageError

PLATFORM = [name for name in dir(ports.Platform) if not name.startswith("_")]


@pytest.mark.parametrize("name", PLATFORM)
def test_the_client_has_each_method_of_platform_with_its_parameters(name: str) -> None:
    asked = inspect.signature(getattr(ports.Platform, name)).parameters
    offered = inspect.signature(getattr(Client, name)).parameters
    assert list(asked) == list(offered)
    for parameter in asked.values():
        ours = offered[parameter.name]
        assert ours.kind is parameter.kind
        assert ours.default == (None if parameter.name == "principal" else parameter.default)


def test_a_query_carries_only_what_was_asked_for() -> None:
    server = Server(
        [answer({"operation": ID, "scope": "", "unit": "step", "keys": [], "steps": [], "values": {}, "total": {}})]
    )
    server.client().metrics(ID, keys=("a", "b"), from_step=3, all_attempts=True)
    url = server.requests[0].url
    assert url.path == f"/api/v1/operations/{ID}/metrics"
    assert dict(url.params) == {"scope": "", "keys": "a,b", "from": "3", "points": "1000", "attempts": "all"}


def test_a_submission_repeats_itself_with_the_same_key_after_a_broken_connection() -> None:
    server = Server([httpx.RemoteProtocolError("cut"), httpx.ConnectError("gone"), answer(operation(), 202)])
    assert server.client().submit({"service": "fake"}).id == ID
    keys = {request.headers["Idempotency-Key"] for request in server.requests}
    assert len(server.requests) == 3
    assert len(keys) == 1
    assert server.located == 3


def test_a_key_that_is_given_is_sent() -> None:
    server = Server([answer(operation(), 202)])
    server.client().submit({"service": "fake"}, idempotency_key="mine")
    assert server.requests[0].headers["Idempotency-Key"] == "mine"


@pytest.mark.parametrize("method", ["command", "delete", "gc", "update", "use", "inspect", "dry_run"])
def test_every_mutating_call_carries_a_key(method: str) -> None:
    server = Server([httpx.Response(204)])
    arguments: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
        "command": ((ID, wire.CommandRequest(verb="stop")), {}),
        "delete": ((ID,), {}),
        "gc": ((), {"older_than_s": 1}),
        "update": ((ID, wire.OperationPatch(name="n")), {}),
        "use": ((ID, wire.UseRequest(data={})), {}),
        "inspect": ((wire.InspectRequest(data={}),), {}),
        "dry_run": (({},), {}),
    }
    given, named = arguments[method]
    try:
        getattr(server.client(), method)(*given, **named)
    except ValueError:
        assert method != "delete", "an empty body is an answer to delete alone"
    assert server.requests[0].headers["Idempotency-Key"]


def test_nobody_answering_is_said_after_three_tries() -> None:
    server = Server([httpx.ConnectError("refused")])
    with pytest.raises(SupervisorUnreachable, match="broke 3 times"):
        server.client().operation(ID)
    assert len(server.requests) == 3


def test_silence_is_not_repeated() -> None:
    server = Server([httpx.ReadTimeout("slow")])
    with pytest.raises(SupervisorUnreachable, match="in time"):
        server.client().operation(ID)
    assert len(server.requests) == 1


def test_the_principal_travels_in_a_header() -> None:
    server = Server([answer(operation(), 202)])
    client = server.client()
    client.submit({})
    client.submit({}, principal=wire.Principal(name="maria", kind="person"))
    assert [request.headers["Tutelage-Principal"] for request in server.requests] == ["program:python", "person:maria"]


def test_a_refusal_becomes_its_error() -> None:
    problem = {
        "type": "t",
        "title": "t",
        "status": 409,
        "detail": "no",
        "code": "illegal_command",
        "hint": "legal now: stop",
    }
    server = Server([answer(problem, 409)])
    with pytest.raises(IllegalCommand, match="no") as caught:
        server.client().command(ID, wire.CommandRequest(verb="pause"))
    assert caught.value.hint == "legal now: stop"


def test_an_answer_of_something_else_is_an_error_of_ours() -> None:
    server = Server([httpx.Response(502, text="<html>proxy</html>")])
    with pytest.raises(TutelageError, match="502 Bad Gateway"):
        server.client().health()


def test_a_download_is_whole_or_absent(tmp_path: Path) -> None:
    server = Server([httpx.Response(200, content=b"bytes")])
    assert server.client().download(ID, "model.joblib", tmp_path).read_bytes() == b"bytes"
    assert [path.name for path in tmp_path.iterdir()] == ["model.joblib"]
    missing = {"type": "t", "title": "t", "status": 404, "detail": "no artifact", "code": "not_found"}
    with pytest.raises(NotFound):
        Server([answer(missing, 404)]).client().download(ID, "other", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_stream_that_is_cut_goes_on_after_its_last_event() -> None:
    server = Server(
        [
            stream([": heartbeat\n\n", event(1, text="a"), event(2, text="b")]),
            answer(operation(state="running")),
            httpx.RemoteProtocolError("cut"),
            httpx.RemoteProtocolError("cut"),
            stream([event(3, text="c")]),
            answer(operation(state="completed")),
        ]
    )
    assert [found.data["text"] for found in server.client().stream(ID)] == ["a", "b", "c"]
    asked = [request for request in server.requests if request.url.path.endswith("/events")]
    assert [request.headers.get("Last-Event-ID") for request in asked] == [None, "2", "2", "2"]


def test_a_program_with_an_event_loop_streams_too() -> None:
    server = Server([stream([event(1, text="a"), event(2, text="b")]), answer(operation(state="completed"))])

    async def read() -> list[str]:
        return [found.data["text"] async for found in server.client().stream_async(ID)]

    assert anyio.run(read) == ["a", "b"]


def test_a_stream_that_brings_nothing_gives_up() -> None:
    running = answer(operation(state="running"))
    server = Server([part for _ in range(3) for part in (stream([]), running)])
    with pytest.raises(SupervisorUnreachable, match="broke 3 times"):
        list(server.client().stream(ID))


def test_models_are_sent_by_the_names_of_the_wire() -> None:
    server = Server([answer(operation())])
    server.client().update(ID, wire.OperationPatch(notes="n"))
    assert json.loads(server.requests[0].content) == {"notes": "n"}


def test_a_rate_limit_is_waited_out() -> None:
    limited = httpx.Response(429, json={}, headers={"Retry-After": "0"})
    server = Server([limited, answer({"items": []})])
    with server.client() as client:
        assert client.models() == []
    assert len(server.requests) == 2


def test_what_was_read_from_an_iterator_is_not_sent_again() -> None:
    server = Server([httpx.ReadError("cut")])
    with server.client() as client, pytest.raises(SupervisorUnreachable):
        client.put_input("0" * 64, name="a.csv", chunks=iter([b"x"]))
    assert len(server.requests) == 1
