"""From what a person types to an operation's id: the id, a unique part of it, or `last`."""

from __future__ import annotations

from collections.abc import Iterator

from tutelage.core import wire
from tutelage.core.errors import InvalidSpec, NotFound
from tutelage.core.ids import is_operation_id
from tutelage.core.ports import Operations

LAST = "last"
PAGE = 200
MIN_ENDING = 4
MAX_SHOWN = 5


def find_operation(client: Operations, text: str) -> str:
    """Return the id that `text` means: itself, a unique beginning, a unique ending of 4 or more, or the newest.

    Raises NotFound, or InvalidSpec when several operations match.
    """
    if is_operation_id(text):
        return text
    if text == LAST:
        return _newest(client)
    matches = [operation.id for operation in every_operation(client) if _means(text, operation.id)]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise NotFound(f"no operation {text!r}", hint="`tutelage ops` lists them; `last` means the newest")
    shown = ", ".join(matches[:MAX_SHOWN]) + (", ..." if len(matches) > MAX_SHOWN else "")
    raise InvalidSpec(f"{text!r} means {len(matches)} operations: {shown}", hint="type more of the id")


def every_operation(client: Operations) -> Iterator[wire.Operation]:
    """Yield all operations, page by page."""
    cursor: str | None = None
    while True:
        page = client.operations(cursor=cursor, limit=PAGE)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _newest(client: Operations) -> str:
    """Return the newest id: lists begin with what needs somebody, then the newest comes first."""
    newest = ""
    for operation in every_operation(client):
        newest = max(newest, operation.id)
        if not operation.attention:
            break
    if not newest:
        raise NotFound("nothing has been trained here yet", hint="`tutelage demo` or `tutelage train SPEC`")
    return newest


def _means(text: str, operation_id: str) -> bool:
    if len(text) >= MIN_ENDING and operation_id.endswith(text):
        return True
    return operation_id.startswith((text, f"op_{text}"))
