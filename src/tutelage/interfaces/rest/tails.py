"""The newest events of operations, read and encoded once for all who stream them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from sse_starlette import ServerSentEvent
from starlette.concurrency import run_in_threadpool

from tutelage.control import ControlPlatform
from tutelage.core.operation import ENDED

PAGE = 500
MAX_KEPT = 64
"""Pages that are kept for watchers at other cursors; whoever is far behind reads its own."""


@dataclass(frozen=True, kw_only=True)
class Tail:
    """What follows a cursor: events in the form of the stream, and whether more will come."""

    block: bytes
    next_cursor: str | None
    is_truncated: bool
    is_over: bool


class Tails:
    """Reads what follows a cursor once for each change of the store, however many watchers stand there."""

    def __init__(self, platform: ControlPlatform) -> None:
        self._platform = platform
        self._reads: OrderedDict[tuple[str, str | None], tuple[int, asyncio.Task[Tail]]] = OrderedDict()

    async def after(self, operation_id: str, cursor: str | None, *, version: int) -> Tail:
        """Return what follows `cursor`, at least as new as the store was at `version`."""
        key = (operation_id, cursor)
        known = self._reads.get(key)
        if known is None or known[0] < version:
            task = asyncio.create_task(run_in_threadpool(self._read, operation_id, cursor))
            known = self._reads[key] = (version, task)
            self._reads.move_to_end(key)
            while len(self._reads) > MAX_KEPT:
                self._reads.popitem(last=False)
        return await asyncio.shield(known[1])

    def _read(self, operation_id: str, cursor: str | None) -> Tail:
        is_ended = self._platform.operation(operation_id).state in ENDED  # first: what ends has stored all its events
        page = self._platform.events(operation_id, since=cursor, limit=PAGE)
        events = (
            ServerSentEvent(id=event.cursor, event=event.kind, data=event.model_dump_json()) for event in page.items
        )
        return Tail(
            block=b"".join(event.encode() for event in events),
            next_cursor=page.next_cursor,
            is_truncated=page.truncated,
            is_over=is_ended and not page.truncated,
        )
