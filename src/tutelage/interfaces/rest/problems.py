"""Errors as RFC 9457 problem details."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from tutelage.core.errors import InvalidSpec, NotFound, RateLimited, TutelageError, Unauthorized
from tutelage.core.redaction import redact, redacted
from tutelage.core.wire import Problem

LOG = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
PROBLEM_RESPONSE: dict[str, Any] = {
    "description": "Problem details, RFC 9457",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def problem_of(error: TutelageError) -> Problem:
    """Return the problem document of an error."""
    return Problem(
        type=f"urn:tutelage:error:{error.code}",
        title=(type(error).__doc__ or error.code).splitlines()[0].rstrip("."),
        status=error.status,
        detail=redact(error.message),
        code=error.code,
        hint=redact(error.hint),
        errors=redacted(list(error.errors)),
    )


def problem_response(error: TutelageError) -> JSONResponse:
    """Return the response for an error."""
    headers = {"Retry-After": "2"} if error.status in (503, 507) else {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    document = problem_of(error).model_dump(mode="json")
    return JSONResponse(document, status_code=error.status, media_type=MEDIA_TYPE, headers=headers)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of ours, of validation and of routing as a problem."""

    @app.exception_handler(TutelageError)
    def ours(_request: Request, error: TutelageError) -> JSONResponse:
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        places: list[dict[str, str]] = [
            {"at": ".".join(map(str, item["loc"])), "message": str(item["msg"])} for item in error.errors()
        ]
        first = places[0]
        return problem_response(
            InvalidSpec(f"{first['at']}: {first['message']}", hint="see /api/v1/openapi.json", errors=places)
        )

    @app.exception_handler(HTTPException)
    def routing(request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, TutelageError):  # raised while the body was read
            return problem_response(error.__cause__)
        if error.status_code == 404:
            return problem_response(
                NotFound(f"there is nothing at {request.url.path}", hint="see /api/v1/openapi.json")
            )
        document: dict[str, Any] = Problem(
            type="about:blank", title=str(error.detail), status=error.status_code, detail=str(error.detail), code="http"
        ).model_dump(mode="json")
        return JSONResponse(document, status_code=error.status_code, media_type=MEDIA_TYPE, headers=error.headers)

    @app.exception_handler(Exception)
    def unexpected(_request: Request, error: Exception) -> JSONResponse:
        LOG.error("unexpected error", exc_info=error)
        return problem_response(
            TutelageError(f"unexpected: {type(error).__name__}: {error}"[:500], hint="supervisor.log has the traceback")
        )
