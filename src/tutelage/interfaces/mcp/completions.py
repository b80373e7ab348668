"""Completes the id of an operation, wherever an address or the prompt asks for one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread
from mcp_types import Completion

from tutelage.core.errors import TutelageError
from tutelage.interfaces.mcp.access import Access

MAX_VALUES = 100
"""As many as the protocol allows in one answer."""


def completer(access: Access) -> Callable[[Any, Any, Any], Awaitable[Completion | None]]:
    """Return the handler of `completion/complete`; None means that there is nothing to complete."""

    async def complete(_ref: Any, argument: Any, _context: Any) -> Completion | None:
        if argument.name != "operation":
            return None
        ids = await anyio.to_thread.run_sync(_newest_ids, access)
        fitting = [name for name in ids if argument.value in name]
        return Completion(values=fitting, total=len(fitting), has_more=False)

    return complete


def _newest_ids(access: Access) -> list[str]:
    """Return ids of operations, those that need somebody first; none while nobody answers."""
    try:
        return [operation.id for operation in access.platform.operations(limit=MAX_VALUES).items]
    except TutelageError:
        return []
