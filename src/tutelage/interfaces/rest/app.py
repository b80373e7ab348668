"""The application: routes, problems, middleware."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

from tutelage import __version__
from tutelage.control import ControlPlatform
from tutelage.control.hub import Hub
from tutelage.core.errors import TooLarge
from tutelage.interfaces.rest import catalogue, operations, watching
from tutelage.interfaces.rest.problems import (
    add_problem_handlers,
    problem_response,
)

MAX_BODY_BYTES = 2 << 20
PREFIX = "/api/v1"


def create_app(platform: ControlPlatform, hub: Hub) -> FastAPI:
    """Build the application on a platform."""
    app = FastAPI(
        title="Tutelage",
        version=__version__,
        summary="The training platform that people and AI agents run together.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses={
            "default": {"description": "Problem details, RFC 9457", "content": {"application/problem+json": {}}}
        },
    )
    app.state.platform = platform
    app.state.hub = hub
    add_problem_handlers(app)
    _add_middleware(app, hub)
    app.include_router(catalogue.health_router)
    for router in (catalogue.router, operations.router, watching.router, watching.compare_router):
        app.include_router(router, prefix=PREFIX)
    return app


def _add_middleware(app: FastAPI, hub: Hub) -> None:
    @app.middleware("http")
    async def note_and_bound(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        hub.touch()
        length = request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > MAX_BODY_BYTES:
            return problem_response(TooLarge(f"the body is over {MAX_BODY_BYTES:,} bytes"))
        response = await call_next(request)
        hub.touch()
        return response
