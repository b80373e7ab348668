"""Routes to watch by: metrics, events and their stream, waiting, logs, artifacts, lineage, comparison."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel
from sse_starlette import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from tutelage.control.hub import Hub
from tutelage.core import wire
from tutelage.interfaces.rest.context import PlatformHere
from tutelage.interfaces.rest.tails import Tails

router = APIRouter(prefix="/operations/{operation_id}")
compare_router = APIRouter()
HEARTBEAT_S = 15
FAREWELL_S = 1.0


class Artifacts(BaseModel):
    """Files that an operation produced."""

    items: list[wire.Artifact]


class Checkpoints(BaseModel):
    """Resumable states of an operation."""

    items: list[wire.Checkpoint]


@router.get("/metrics")
def metrics(
    platform: PlatformHere,
    operation_id: str,
    scope: str = "",
    keys: str = "",
    from_step: Annotated[int | None, Query(alias="from")] = None,
    to_step: Annotated[int | None, Query(alias="to")] = None,
    points: int = 1000,
    since: str | None = None,
    attempts: str = "newest",
) -> wire.MetricHistory:
    """Return the curves of one scope, outer-joined by step, down-sampled with minima and maxima kept."""
    return platform.metrics(
        operation_id,
        scope=scope,
        keys=tuple(filter(None, keys.split(","))),
        from_step=from_step,
        to_step=to_step,
        points=points,
        since=since,
        all_attempts=attempts == "all",
    )


@router.get(
    "/events",
    response_model=wire.EventPage,
    responses={200: {"content": {"text/event-stream": {}}, "description": "a page, or with Accept a stream"}},
)
async def events(
    request: Request,
    platform: PlatformHere,
    operation_id: str,
    since: str | None = None,
    limit: int = 1000,
    kinds: str = "",
    last_event_id: Annotated[str | None, Header()] = None,
) -> Any:
    """Return events after a cursor: a page, or with `Accept: text/event-stream` a stream that resumes."""
    cursor = last_event_id or since
    if "text/event-stream" not in request.headers.get("accept", ""):
        chosen = tuple(filter(None, kinds.split(",")))
        return await run_in_threadpool(platform.events, operation_id, since=cursor, limit=limit, kinds=chosen)
    await run_in_threadpool(
        platform.events, operation_id, since=cursor, limit=1
    )  # a wrong id or cursor is an error now
    bell = Bell()
    stream = _stream(request.app.state.tails, request.app.state.hub, operation_id, cursor, bell)
    ending: Any = bell  # of an event, the library only calls `set`
    return EventSourceResponse(stream, ping=HEARTBEAT_S, shutdown_event=ending, shutdown_grace_period=FAREWELL_S)


class Bell:
    """Wakes a stream: something was stored, or the server ends."""

    def __init__(self) -> None:
        self.rung = asyncio.Event()
        self.is_over = False

    def set(self) -> None:
        """Have the stream end well, instead of breaking off."""
        self.is_over = True
        self.rung.set()


async def _stream(tails: Tails, hub: Hub, operation_id: str, cursor: str | None, bell: Bell) -> AsyncIterator[bytes]:
    """Yield events as they are stored; ends after the last one of an ended operation, or with the server."""
    rung, loop = bell.rung, asyncio.get_running_loop()
    with hub.listening(lambda: loop.call_soon_threadsafe(rung.set)):
        while not bell.is_over:
            rung.clear()
            tail = await tails.after(operation_id, cursor, version=hub.version)
            if tail.block:
                yield tail.block
            cursor = tail.next_cursor
            if tail.is_over:
                return
            if not tail.is_truncated:
                await rung.wait()


@router.get("/wait")
async def wait(
    request: Request, platform: PlatformHere, operation_id: str, until: str = "terminal", timeout_s: float = 60.0
) -> wire.WaitResult:
    """Return when `verdict_change, phase, eval, terminal, step>=N` or `METRIC<x` came, or the time is over."""
    hub: Hub = request.app.state.hub
    waiting = platform.waiting(operation_id, until=until, timeout_s=timeout_s)
    rung, loop = asyncio.Event(), asyncio.get_running_loop()
    with hub.listening(lambda: loop.call_soon_threadsafe(rung.set)):
        while True:
            rung.clear()
            reached = await run_in_threadpool(waiting.reached)
            if reached is not None:
                operation = await run_in_threadpool(platform.operation, operation_id)
                return wire.WaitResult(reached=reached, until=until, operation=operation)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), timeout=waiting.left_s)


@router.get("/logs")
def logs(
    platform: PlatformHere,
    operation_id: str,
    since: str | None = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 200,
) -> wire.LogPage:
    """Return lines of the log: the last ones, or those after a cursor."""
    return platform.logs(operation_id, since=since, limit=limit)


@router.get("/artifacts")
def artifacts(platform: PlatformHere, operation_id: str) -> Artifacts:
    """List the files it produced."""
    return Artifacts(items=platform.artifacts(operation_id))


@router.get("/artifacts/{name:path}", response_class=FileResponse)
def artifact(platform: PlatformHere, operation_id: str, name: str) -> Response:
    """Return one of its files; ranges are served."""
    return FileResponse(
        platform.artifact(operation_id, name),
        headers={"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"},
    )


@router.get("/checkpoints")
def checkpoints(platform: PlatformHere, operation_id: str) -> Checkpoints:
    """List its resumable states."""
    return Checkpoints(items=platform.checkpoints(operation_id))


@router.get("/lineage")
def lineage(platform: PlatformHere, operation_id: str) -> wire.Lineage:
    """Return ancestors and descendants."""
    return platform.lineage(operation_id)


@router.get("/spec")
def spec(platform: PlatformHere, operation_id: str) -> dict[str, Any]:
    """Return the spec as it was accepted."""
    return platform.spec(operation_id)


@router.get("/environment")
def environment(platform: PlatformHere, operation_id: str) -> dict[str, Any]:
    """Return what its latest attempt ran on."""
    return platform.environment(operation_id)


@compare_router.get("/compare")
def compare(platform: PlatformHere, ids: str) -> wire.Comparison:
    """Put operations side by side."""
    return platform.compare(tuple(filter(None, ids.split(","))))
