"""The server over streamable HTTP, at `/mcp` of `tutelage serve`: behind the same door, with the token's principal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp, Receive, Scope, Send

from tutelage.core import access, wire
from tutelage.core.ports import Platform
from tutelage.interfaces.mcp.access import Access
from tutelage.interfaces.mcp.server import build

PATH = "/mcp"
NEEDS_OPERATE = frozenset(
    {"start_training", "control_operation", "tune_operation", "branch_operation", "use_model"},
)
"""Tools for which a token that only reads is not enough."""


class HttpServer:
    """MCP for callers that the door has let in; `state.access` of a request says who calls."""

    def __init__(self, platform: Platform) -> None:
        self._caller: ContextVar[access.Access] = ContextVar("caller")
        way = Access(platform=platform, principal=self._principal)
        self._server = build(way, admit=self._admit)
        # Host, Origin, sizes and tokens are the door's business.
        open_ = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        self._app: ASGIApp = self._server.streamable_http_app(
            streamable_http_path=PATH, stateless_http=True, transport_security=open_
        )

    def before(self, app: ASGIApp) -> ASGIApp:
        """Return an application that answers `/mcp` itself and passes everything else on."""

        async def routed(scope: Scope, receive: Receive, send: Send) -> None:
            await (self._app if scope["path"] == PATH else app)(scope, receive, send)

        return routed

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the sessions for as long as the servers serve."""
        async with self._server.session_manager.run():
            yield

    def _admit(self, tool: str, request: Any) -> None:
        """Remember who calls. Raises ToolError for a tool that the token does not reach."""
        caller: access.Access = request.scope["state"]["access"]
        if tool in NEEDS_OPERATE and not caller.scope.includes(access.Scope.OPERATE):
            raise ToolError(
                f"{tool} needs a token with the scope operate; yours has {caller.scope}\n"
                "What to do: `tutelage token create NAME --kind agent --scope operate` makes one\n(code forbidden)"
            )
        self._caller.set(caller)

    def _principal(self) -> wire.Principal:
        return self._caller.get().principal
