"""The door by itself, before an application that answers everything: rates, scopes of paths, names, sizes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tutelage.control.hub import Hub
from tutelage.core.access import Access, Scope
from tutelage.core.errors import RateLimited, Unauthorized, WrongHost
from tutelage.core.wire import Principal
from tutelage.interfaces.rest.door import Door, Rules
from tutelage.interfaces.rest.hosts import check_host
from tutelage.interfaces.rest.rates import MAX_KEYS, Buckets
from tutelage.interfaces.rest.scopes import needed_scope

SECRETS = {"a": Scope.READ, "b": Scope.ADMIN}


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def authenticate(secret: str) -> Access:
    if secret not in SECRETS:
        raise Unauthorized("the token is unknown")
    return Access(principal=Principal(name=secret, kind="agent"), scope=SECRETS[secret])


async def inside(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
    """Answer who was let in."""
    access = scope["state"]["access"]
    body = f"{access.principal.name if access else 'nobody'}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def ask(door: Door, method: str = "GET", path: str = "/api/v1/models", **headers: str) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=door)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as http:
            return await http.request(method, path, headers=headers)

    return asyncio.run(asked())


def door(clock: Clock, **changes: Any) -> Door:
    rules = Rules(authenticate=authenticate, is_loopback=True, **changes)
    return Door(inside, Hub(), rules=rules, clock=clock)  # type: ignore[arg-type]


def test_each_principal_has_a_rate_of_its_own_and_is_told_when_to_come_back() -> None:
    clock = Clock()
    guarded = door(clock, burst=3, per_s=0.5)
    seen = [ask(guarded, authorization="Bearer a").status_code for _ in range(4)]
    refused = ask(guarded, authorization="Bearer a")
    assert seen == [200, 200, 200, 429]
    assert (refused.json()["code"], refused.headers["retry-after"]) == ("rate_limited", "2")
    assert ask(guarded, authorization="Bearer b").text == "b"
    clock.now_s += 2
    assert ask(guarded, authorization="Bearer a").status_code == 200


def test_wrong_tokens_are_limited_and_right_ones_go_on() -> None:
    clock = Clock()
    guarded = door(clock)
    seen = [ask(guarded, authorization="Bearer wrong").status_code for _ in range(30)]
    assert seen == [401] * 20 + [429] * 10
    assert ask(guarded, authorization="Bearer a").status_code == 200


def test_a_stream_ends_when_its_token_does() -> None:
    clock = Clock()
    secrets = {"c": Scope.READ}

    def admit(secret: str) -> Access:
        if secret not in secrets:
            raise Unauthorized("the token is revoked")
        return Access(principal=Principal(name=secret, kind="agent"), scope=secrets[secret])

    async def streaming(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        kind = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": kind})
        for number in range(6):
            clock.now_s += 5
            if number == 3:
                secrets.clear()
            await send({"type": "http.response.body", "body": f"{number};".encode(), "more_body": True})

    rules = Rules(authenticate=admit, is_loopback=True)
    guarded = Door(streaming, Hub(), rules=rules, clock=clock)  # type: ignore[arg-type]
    assert ask(guarded, authorization="Bearer c").text == "0;1;2;"


def test_a_cookie_lets_in_and_a_bad_header_is_not_saved_by_it() -> None:
    guarded = door(Clock())
    assert ask(guarded, cookie="tutelage_session=b").text == "b"
    assert ask(guarded, cookie="tutelage_session=b", authorization="Digest x").status_code == 401


def test_the_socket_needs_nothing_and_is_the_local_user() -> None:
    assert ask(Door(inside, Hub(), rules=None)).text == "local"  # type: ignore[arg-type]


def test_buckets_of_those_who_left_are_forgotten() -> None:
    buckets = Buckets(burst=1, per_s=1, clock=Clock())
    for number in range(MAX_KEYS + 10):
        buckets.take(str(number))
    assert len(buckets._left) == MAX_KEYS
    with pytest.raises(RateLimited):
        buckets.take(str(MAX_KEYS))


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/healthz", Scope.READ),
        ("GET", "/api/v1/operations", Scope.READ),
        ("HEAD", "/api/v1/inputs/0", Scope.READ),
        ("GET", "/api/v1/tokens", Scope.ADMIN),
        ("POST", "/api/v1/tokens", Scope.ADMIN),
        ("POST", "/api/v1/operations", Scope.OPERATE),
        ("POST", "/api/v1/operations/op_x/commands", Scope.OPERATE),
        ("POST", "/api/v1/operations/op_x/use", Scope.OPERATE),
        ("PATCH", "/api/v1/operations/op_x", Scope.OPERATE),
        ("DELETE", "/api/v1/operations/op_x", Scope.ADMIN),
        ("POST", "/api/v1/gc", Scope.ADMIN),
        ("POST", "/api/v1/operations/op_x/commands/more", Scope.ADMIN),
        ("POST", "/api/v1/what-nobody-thought-of", Scope.ADMIN),
        ("OPTIONS", "/api/v1/operations", Scope.ADMIN),
        ("POST", "/api/v1/login", None),
        ("DELETE", "/api/v1/login", Scope.ADMIN),
    ],
)
def test_the_scope_that_a_request_needs(method: str, path: str, scope: Scope | None) -> None:
    assert needed_scope(method, path) == scope


@pytest.mark.parametrize(
    ("host", "is_loopback", "answers"),
    [
        ("localhost:8765", True, True),
        ("LOCALHOST", True, True),
        ("127.0.0.1:8765", True, True),
        ("[::1]:8765", True, True),
        ("tutelage.example", True, True),
        ("192.0.2.7:8765", True, False),
        ("192.0.2.7:8765", False, True),
        ("[2001:db8::1]", False, True),
        ("evil.example", False, False),
        ("127.0.0.1.evil.example", False, False),
        ("localhost.evil.example", True, False),
        ("", True, False),
        ("a@127.0.0.1", True, True),
        ("[::1", True, False),
        ("0x7f000001", True, False),
    ],
)
def test_the_names_that_are_answered(host: str, is_loopback: bool, answers: bool) -> None:
    def answered() -> bool:
        try:
            check_host(host, allowed={"tutelage.example"}, is_loopback=is_loopback)
        except WrongHost:
            return False
        return True

    assert answered() is answers
