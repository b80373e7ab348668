"""The bell: one stream that tells a watcher of the whole home that something was stored, and up to which cursor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from tutelage.control import ControlPlatform
from tutelage.control.hub import Hub
from tutelage.interfaces.rest.context import PlatformHere
from tutelage.interfaces.rest.watching import FAREWELL_S, HEARTBEAT_S, Bell

router = APIRouter()
REST_S = 0.1
"""At most ten messages a second: what comes in between is told by the next cursor."""


class Newest(BaseModel):
    """How far the home's events go."""

    cursor: str = Field(description="the cursor of the newest event of all operations")


@router.get(
    "/changes",
    response_model=Newest,
    responses={200: {"content": {"text/event-stream": {}}, "description": "or with Accept a stream without end"}},
)
async def changes(request: Request, platform: PlatformHere) -> Any:
    """Return the newest cursor of all operations; as a stream at once, and again whenever something was stored."""
    if "text/event-stream" not in request.headers.get("accept", ""):
        return Newest(cursor=await run_in_threadpool(platform.newest_cursor))
    bell = Bell()
    ending: Any = bell  # of an event, the library only calls `set`
    stream = _stream(platform, request.app.state.hub, bell)
    return EventSourceResponse(stream, ping=HEARTBEAT_S, shutdown_event=ending, shutdown_grace_period=FAREWELL_S)


async def _stream(platform: ControlPlatform, hub: Hub, bell: Bell) -> AsyncIterator[ServerSentEvent]:
    rung, loop = bell.rung, asyncio.get_running_loop()
    with hub.listening(lambda: loop.call_soon_threadsafe(rung.set)):
        while not bell.is_over:
            rung.clear()
            cursor = await run_in_threadpool(platform.newest_cursor)
            yield ServerSentEvent(id=cursor, data=Newest(cursor=cursor).model_dump_json())
            await asyncio.sleep(REST_S)
            await rung.wait()
