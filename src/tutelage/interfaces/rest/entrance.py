"""Routes of the entrance: logins, tokens, and files that are sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from anyio.from_thread import run as run_in_loop
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from tutelage.core.access import LoginRequest, NewToken, Session, Token, TokenRequest
from tutelage.core.errors import InvalidSpec
from tutelage.core.inputs import Input
from tutelage.interfaces.rest.context import PlatformHere
from tutelage.interfaces.rest.door import COOKIE
from tutelage.interfaces.rest.login import LOGIN_HEADERS, LOGIN_PAGE

router = APIRouter()
page_router = APIRouter()
SESSION_S = 7 * 86400

Hash = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the content")]
FileName = Annotated[str, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,119}$", description="its ending says its form")]
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Tokens(BaseModel):
    """Tokens and logins, oldest first."""

    items: list[Token]


@page_router.get("/login", include_in_schema=False)
def login_page() -> HTMLResponse:
    """Return the page that a login link opens: it sends the code, which never travels in an address."""
    return HTMLResponse(LOGIN_PAGE, headers=LOGIN_HEADERS)


@router.post("/login")
def login(platform: PlatformHere, request: Request, response: Response, asked: LoginRequest) -> Session:
    """Exchange the code of a login link, once, for a session in a cookie that no script can read."""
    session, secret = platform.doorkeeper.login(asked.code)
    is_https = request.url.scheme == "https"
    response.set_cookie(COOKIE, secret, max_age=SESSION_S, httponly=True, samesite="strict", secure=is_https)
    return session


@router.get("/tokens")
def tokens(platform: PlatformHere) -> Tokens:
    """List tokens and logins, without their secrets."""
    return Tokens(items=platform.tokens())


@router.post("/tokens", status_code=201)
def create_token(platform: PlatformHere, request: TokenRequest) -> NewToken:
    """Make a token; the answer is the only place that ever holds its secret."""
    return platform.create_token(request)


@router.delete("/tokens/{name}")
def revoke_token(platform: PlatformHere, name: str) -> Token:
    """End a token, by its id, or by its name where only one that lives has it."""
    return platform.revoke_token(name)


@router.put("/inputs/{sha256}", status_code=201, openapi_extra=BODY)
async def put_input(platform: PlatformHere, request: Request, sha256: Hash, name: FileName = "input") -> Input:
    """Send a file under the hash of its content; a spec may then name its `path`."""
    stream = aiter(request.stream())

    async def following() -> bytes | None:
        try:
            return await anext(stream, None)
        except ClientDisconnect:
            raise InvalidSpec("the file broke off", hint="send it again") from None

    def chunks() -> Iterator[bytes]:
        while (chunk := run_in_loop(following)) is not None:
            yield chunk

    return await run_in_threadpool(lambda: platform.put_input(sha256, name=name, chunks=chunks()))


@router.get("/inputs/{sha256}")
def input_(platform: PlatformHere, sha256: Hash, name: FileName | None = None) -> Input:
    """Return what was sent under a hash."""
    return platform.input(sha256, name=name)


@router.head("/inputs/{sha256}")
def input_is_there(platform: PlatformHere, sha256: Hash, name: FileName | None = None) -> Response:
    """Tell whether a file was sent under a hash: 200 or 404, without a body."""
    found = platform.input(sha256, name=name)
    return Response(headers={"Input-Bytes": str(found.bytes)})
