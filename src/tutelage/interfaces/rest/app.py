"""The application: routes and problems. `door.Door` stands before it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tutelage import __version__
from tutelage.control import ControlPlatform
from tutelage.control.hub import Hub
from tutelage.core.access import Scope
from tutelage.core.wire import Problem
from tutelage.interfaces.rest import catalogue, changes, entrance, operations, page, watching
from tutelage.interfaces.rest.examples import EXAMPLES, PARAMETERS
from tutelage.interfaces.rest.problems import PROBLEM_RESPONSE, add_problem_handlers
from tutelage.interfaces.rest.scopes import API, needed_scope
from tutelage.interfaces.rest.tails import Tails

METHODS = {"get", "head", "put", "post", "patch", "delete"}


def create_app(platform: ControlPlatform, hub: Hub) -> FastAPI:
    """Build the application on a platform."""
    app = FastAPI(
        title="Tutelage",
        version=__version__,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={"default": PROBLEM_RESPONSE},
    )
    app.state.platform = platform
    app.state.hub = hub
    app.state.tails = Tails(platform)
    app.state.page = page.Page()
    add_problem_handlers(app)
    app.include_router(catalogue.health_router)
    app.include_router(entrance.page_router)
    app.include_router(page.router)
    for router in (
        catalogue.router,
        operations.router,
        watching.router,
        watching.compare_router,
        changes.router,
        entrance.router,
    ):
        app.include_router(router, prefix=API)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, in which each operation says what scope it needs."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary="The training platform that people and AI agents run together.",
        routes=app.routes,
    )
    document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "needed on TCP; not on the Unix socket"},
        "session": {"type": "apiKey", "in": "cookie", "name": "tutelage_session", "description": "made by a login"},
    }
    for name, schema in document["components"]["schemas"].items():
        if name in EXAMPLES:
            schema["examples"] = [EXAMPLES[name]]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                _complete(operation, needed_scope(method.upper(), path))
    app.openapi_schema = document
    return document


def _complete(operation: dict[str, Any], scope: Scope | None) -> None:
    """Say what an operation needs, and what its parameters mean."""
    operation["security"] = [{"token": []}, {"session": []}] if scope else []
    operation["x-scope"] = str(scope) if scope else None
    for parameter in operation.get("parameters", []):
        parameter.setdefault("description", PARAMETERS.get(parameter["name"], ""))
