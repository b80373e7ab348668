"""The door before the application: names, pages, paths, sizes, tokens, scopes, rates; no route is looked up before."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tutelage.control.hub import Hub
from tutelage.core.access import LOCAL, Access
from tutelage.core.errors import Forbidden, NotFound, TooLarge, TutelageError, Unauthorized, WrongHost
from tutelage.interfaces.rest.hosts import check_host, check_origin
from tutelage.interfaces.rest.problems import problem_response
from tutelage.interfaces.rest.rates import Buckets
from tutelage.interfaces.rest.scopes import API, MCP, needed_scope

MAX_BODY_BYTES = 2 << 20
MAX_PATH = 2_000
COOKIE = "tutelage_session"
FAILURES = {"burst": 20.0, "per_s": 0.5}
"""Wrong tokens from one address: twenty at once, then one each two seconds."""

LOOK_AGAIN_S = 10.0
"""How often a stream's token is looked at again."""

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}

Authenticate = Callable[[str], Access]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a door on TCP asks for."""

    authenticate: Authenticate
    is_loopback: bool
    allowed_hosts: Collection[str] = ()
    burst: float = 600.0
    per_s: float = 200.0
    max_input_bytes: int = 8 << 30


class Door:
    """Lets a request through with what it was found to be in `state.access`; `rules` None on the Unix socket."""

    def __init__(
        self, app: ASGIApp, hub: Hub, *, rules: Rules | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app, self._hub, self._rules, self._clock = app, hub, rules, clock
        limits = rules or Rules
        self._rates = Buckets(burst=limits.burst, per_s=limits.per_s, clock=clock)
        self._failures = Buckets(**FAILURES, clock=clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or pass the request on."""
        if scope["type"] != "http":
            return
        self._hub.touch()
        headers = Headers(scope=scope)
        try:
            limit = self._limit(scope)
            _check_path(scope["path"])
            _check_length(headers, limit)
            access = LOCAL if self._rules is None else await self._admit(scope, headers, self._rules)
        except TutelageError as error:
            return await _refusal(error, scope["path"])(scope, receive, _with_safe_headers(send))
        state = scope.setdefault("state", {})
        state["access"] = access
        answering = _with_safe_headers(send)
        if self._rules is not None and access is not None:
            answering = self._while_admitted(headers, self._rules, answering)
        await self._app(scope, _bounded(receive, limit), answering)
        self._hub.touch()
        return None

    async def _admit(self, scope: Scope, headers: Headers, rules: Rules) -> Access | None:
        """Return who asks; None where nobody needs to be known yet."""
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            raise WrongHost("a request names one host")
        check_host(hosts[0], allowed=rules.allowed_hosts, is_loopback=rules.is_loopback)
        for origin in headers.getlist("origin"):
            check_origin(origin, host=hosts[0])
        needed = needed_scope(scope["method"], scope["path"])
        if needed is None:
            self._rates.take(f"open {_peer(scope)}")
            return None
        access = await self._known(scope, headers, rules)
        self._rates.take(f"{access.principal.kind}:{access.principal.name}")
        if not access.scope.includes(needed):
            raise Forbidden(
                f"this needs a token with the scope {needed}; yours has {access.scope}",
                hint="`tutelage token create NAME --scope " + needed + "` makes one",
            )
        return access

    async def _known(self, scope: Scope, headers: Headers, rules: Rules) -> Access:
        try:
            return await run_in_threadpool(rules.authenticate, _secret(headers))
        except Unauthorized:
            self._failures.take(_peer(scope))
            raise

    def _while_admitted(self, headers: Headers, rules: Rules, send: Send) -> Send:
        """Return a `send` that ends a stream of events once its token is revoked or old; heartbeats make it look."""
        looked_at_s, is_stream, is_over = self._clock(), False, False

        async def sending(message: Message) -> None:
            nonlocal looked_at_s, is_stream, is_over
            if message["type"] == "http.response.start":
                is_stream = Headers(raw=message["headers"]).get("content-type", "").startswith("text/event-stream")
            elif is_stream and not is_over and self._clock() - looked_at_s >= LOOK_AGAIN_S:
                looked_at_s = self._clock()
                is_over = not await _is_admitted(headers, rules)
                message = {"type": "http.response.body", "body": b"", "more_body": False} if is_over else message
                return await send(message)
            return None if is_over else await send(message)

        return sending

    def _limit(self, scope: Scope) -> int:
        is_input = scope["method"] == "PUT" and scope["path"].startswith(f"{API}/inputs/")
        return (self._rules.max_input_bytes if self._rules else Rules.max_input_bytes) if is_input else MAX_BODY_BYTES


def _refusal(error: TutelageError, path: str) -> ASGIApp:
    """Return the answer to a request that is not let in; agents' hosts would take a challenge for one of OAuth."""
    answer = problem_response(error)
    if path == MCP and "WWW-Authenticate" in answer.headers:
        del answer.headers["WWW-Authenticate"]
    return answer


async def _is_admitted(headers: Headers, rules: Rules) -> bool:
    try:
        await run_in_threadpool(rules.authenticate, _secret(headers))
    except Unauthorized:
        return False
    return True


def _secret(headers: Headers) -> str:
    """Return the secret of a request: a bearer token, else the cookie of a login."""
    authorization = headers.get("authorization")
    if authorization is not None:
        kind, _, secret = authorization.partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            raise Unauthorized("the Authorization header is not `Bearer TOKEN`", hint="set TUTELAGE_TOKEN")
        return secret.strip()
    kept = cookie_parser(headers.get("cookie", "")).get(COOKIE)
    if kept:
        return kept
    raise Unauthorized(
        "this needs a token",
        hint="send `Authorization: Bearer TOKEN`, or set TUTELAGE_TOKEN; `tutelage token create NAME` makes one",
    )


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _check_path(path: str) -> None:
    """Refuse what no path of ours holds; the path was decoded once, and is never decoded again."""
    parts = path.split("/")
    if len(path) > MAX_PATH or ".." in parts or "." in parts or "\\" in path or not path.isprintable():
        raise NotFound("there is nothing at such a path", hint=f"see {API}/openapi.json")


def _check_length(headers: Mapping[str, str], limit: int) -> None:
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > limit:
        raise TooLarge(f"the body is over {limit:,} bytes", hint="data is named by its path, or sent to /inputs")


def _bounded(receive: Receive, limit: int) -> Receive:
    """Return a `receive` that counts, for bodies that do not say how long they are."""
    num_bytes = 0

    async def counted() -> Message:
        nonlocal num_bytes
        message = await receive()
        num_bytes += len(message.get("body", b""))
        if num_bytes > limit:
            raise TooLarge(f"the body is over {limit:,} bytes", hint="data is named by its path, or sent to /inputs")
        return message

    return counted


def _with_safe_headers(send: Send) -> Send:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SAFE_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
