"""Every route of the OpenAPI document, asked without a token, with too small a scope, from a foreign name and page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
from tests.serving import Served

from tutelage.control import ControlPlatform
from tutelage.control.hub import Hub
from tutelage.core.access import Scope
from tutelage.core.wire import Problem
from tutelage.interfaces.rest.app import METHODS, create_app

API = "/api/v1"
DOCUMENT: dict[str, Any] = create_app(cast(ControlPlatform, None), Hub()).openapi()
ROUTES = [
    (method.upper(), re.sub(r"\{\w+\}", "op_none", path), operation["x-scope"])
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in METHODS
]
GUARDED = [route for route in ROUTES if route[2]]


def refused(answer: httpx.Response, status: int, code: str) -> bool:
    if answer.request.method == "HEAD":
        return answer.status_code == status
    return (answer.status_code, Problem.model_validate(answer.json()).code) == (status, code)


def answers(http: httpx.Client, routes: list[tuple[str, str, str]], **headers: str) -> Iterator[httpx.Response]:
    with http:
        for method, path, _ in routes:
            yield http.request(method, path, headers=headers)


def test_only_a_login_needs_no_token() -> None:
    assert [(method, path) for method, path, scope in ROUTES if not scope] == [("POST", f"{API}/login")]


def test_every_route_asks_for_a_token(served: Served) -> None:
    seen = list(answers(served.http(None), GUARDED))
    assert all(answer.status_code in (401, 429) for answer in seen), seen
    assert refused(seen[0], 401, "unauthorized")


def test_guessing_is_slowed_down_and_a_right_token_is_not(served: Served) -> None:
    with served.http(None) as http:
        codes = [http.get("/healthz", headers={"Authorization": f"Bearer tut_{n}"}).status_code for n in range(25)]
        assert codes[-1] == 429
    assert served.ask("GET", "/healthz").status_code == 200


@pytest.mark.parametrize("scope", [Scope.READ, Scope.OPERATE])
def test_no_scope_reaches_further_than_it_says(served: Served, scope: Scope) -> None:
    beyond = [route for route in GUARDED if not scope.includes(Scope(route[2]))]
    seen = list(answers(served.http(scope), beyond))
    assert beyond
    assert [answer for answer in seen if not refused(answer, 403, "forbidden")] == []


def test_a_scope_reaches_what_it_says(served: Served) -> None:
    reads = [route for route in GUARDED if route[2] == Scope.READ]
    seen = list(answers(served.http(Scope.READ), reads))
    assert [answer for answer in seen if answer.status_code in (401, 403)] == []


def test_every_route_refuses_a_foreign_host(served: Served) -> None:
    seen = list(answers(served.http(), ROUTES, Host="rebound.example"))
    assert [answer for answer in seen if not refused(answer, 421, "wrong_host")] == []


def test_every_route_refuses_a_foreign_page(served: Served) -> None:
    seen = list(answers(served.http(), ROUTES, Origin="https://evil.example"))
    assert [answer for answer in seen if not refused(answer, 403, "forbidden")] == []


@pytest.mark.parametrize("origin", ["null", "http://localhost:1", "file://", "http://[", "javascript:alert(1)"])
def test_an_odd_origin_is_foreign(served: Served, origin: str) -> None:
    assert refused(served.ask("GET", "/healthz", headers={"Origin": origin}), 403, "forbidden")


def test_its_own_page_is_let_in(served: Served) -> None:
    assert served.ask("GET", "/healthz", headers={"Origin": served.url}).status_code == 200


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({"Authorization": "Basic dXNlcjpwYXNz"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Bearer tut_\udcff".encode("utf-8", "replace").decode()}, 401),
        ({"Host": ""}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "192.0.2.7"}, 421),
        ({"Host": "[::1"}, 421),
    ],
)
def test_odd_headers_are_refused(served: Served, header: dict[str, str], status: int) -> None:
    answer = served.ask("GET", "/healthz", scope=None if "Authorization" in header else Scope.ADMIN, headers=header)
    assert answer.status_code in (status, 429 if status == 401 else status)


@pytest.mark.parametrize(
    "path",
    [
        "/operations/op_x/artifacts/..%2f..%2fspec.json",
        "/operations/op_x/artifacts/%2e%2e/%2e%2e/key",
        "/operations/op_x/artifacts/%252e%252e%252fkey",
        "/operations/op_x/artifacts/..%5c..%5ckey",
        "/operations/op_x/artifacts/a%00b",
        "/operations/op_x/artifacts/%2Fetc%2Fpasswd",
        "/operations/..%2f..%2fkey",
        "/operations/op_%ff%fe",
        "/inputs/" + "..%2f" * 12,
    ],
)
def test_no_path_leads_outside(served: Served, path: str) -> None:
    assert served.ask("GET", API + path).status_code in (404, 422)


def test_the_unix_socket_needs_no_token_and_tcp_does_not_believe_a_name(served: Served) -> None:
    claimed = {"Tutelage-Principal": "person:root"}
    spec = {"service": "fake", "config": {"steps": 3}}
    made = served.ask("POST", f"{API}/operations", scope=Scope.OPERATE, json=spec, headers=claimed).json()
    assert made["owner"] == {"name": "operate-bot", "kind": "agent"}
    branch = {"verb": "cancel", "reason": "enough"}
    with served.http(Scope.ADMIN) as http:
        decision = http.post(f"{API}/operations/{made['id']}/commands", json=branch)
        if decision.status_code == 202:
            assert decision.json()["principal"]["name"] == "admin-bot"


def test_a_body_without_a_length_is_bounded_too(served: Served) -> None:
    parts = (b" " * (1 << 20) for _ in range(4))
    answer = served.ask("POST", f"{API}/operations", content=parts, headers={"content-type": "application/json"})
    assert refused(answer, 413, "too_large")


def test_a_revoked_token_is_refused_at_once(served: Served) -> None:
    with served.http() as admin:
        made = admin.post(f"{API}/tokens", json={"name": "brief", "kind": "agent", "scope": "read"}).json()
        headers = {"Authorization": f"Bearer {made['secret']}"}
        with served.http(None) as brief:
            assert brief.get(f"{API}/services", headers=headers).status_code == 200
            assert admin.delete(f"{API}/tokens/brief").json()["is_live"] is False
            assert brief.get(f"{API}/services", headers=headers).status_code in (401, 429)


def test_a_login_link_works_once_and_gives_a_cookie_no_script_can_read(served: Served) -> None:
    code = served.login.partition("#")[2]
    with served.http(None) as browser:
        first = browser.post(f"{API}/login", json={"code": code})
        assert first.json()["scope"] == "admin"
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert browser.get(f"{API}/tokens").status_code == 200
    assert refused(served.ask("POST", f"{API}/login", scope=None, json={"code": code}), 401, "unauthorized")


def test_the_login_page_runs_its_own_script_only(served: Served) -> None:
    page = served.ask("GET", "/login", scope=None)
    assert page.status_code == 200
    assert "script-src 'sha256-" in page.headers["content-security-policy"]


def test_every_answer_carries_the_safe_headers(served: Served) -> None:
    for answer in (served.ask("GET", "/healthz"), served.ask("GET", "/healthz", scope=None)):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_an_input_is_kept_under_the_hash_of_its_content(served: Served) -> None:
    content = b"a,b\n1,2\n"
    sha256 = hashlib.sha256(content).hexdigest()
    url = f"{API}/inputs/{sha256}"
    with served.http() as http:
        assert http.head(url).status_code == 404
        made = http.put(url, params={"name": "train.csv"}, content=content)
        assert (made.status_code, made.json()["bytes"]) == (201, len(content))
        assert http.head(url).status_code == 200
        assert http.get(url).json()["path"].endswith(f"inputs/{sha256}/train.csv")
        wrong = http.put(url, params={"name": "train.csv"}, content=b"something else")
        assert refused(wrong, 422, "invalid_spec")
        assert refused(http.put(url, params={"name": "../x"}, content=content), 422, "invalid_spec")
