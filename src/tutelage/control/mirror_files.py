"""Files of an operation on a host, brought here under the names that they would have had here."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from tutelage.client import Client
from tutelage.control.base import Base
from tutelage.control.files import room_on_disk, write_json
from tutelage.core.errors import NotFound
from tutelage.core.layout import OperationFiles
from tutelage.core.wire import LogPage
from tutelage.executors import HostLink
from tutelage.store import mirrors

LOG_LINES = 5000
MAX_LOG_PAGES = 50
"""Pages of the log read at a time; what is left comes with the next events."""


def bring_log(base: Base, link: HostLink, operation_id: str, remote: str) -> None:
    """Append the new complete lines of the host's log.

    The file is cut to its stored length first: lines appended before a crash, but not counted, come again.
    """
    path = base.files.operation(operation_id).log
    for _ in range(MAX_LOG_PAGES):
        with base.store.reading() as reading:
            mirror = mirrors.get(reading.connection, operation_id)
        if mirror is None:
            return
        page = link.ask(partial(_log_page, remote=remote, since=str(mirror.log_cursor)))
        if not page.lines:
            return
        text = "".join(f"{line}\n" for line in page.lines).encode()
        with room_on_disk(), path.open("ab") as file:
            file.truncate(mirror.log_bytes)
            file.write(text)
        with base.store.writing("NORMAL") as tx:
            length = mirror.log_bytes + len(text)
            mirrors.change(tx.connection, operation_id, log_cursor=int(page.next_cursor), log_bytes=length)
        if not page.truncated:
            return


def _log_page(client: Client, *, remote: str, since: str) -> LogPage:
    return client.logs(remote, since=since, limit=LOG_LINES)


def bring_checkpoints(link: HostLink, remote: str, files: OperationFiles) -> None:
    """Keep the list of the checkpoints; they themselves stay on the host, which alone can go on from them."""
    found = link.ask(lambda client: client.checkpoints(remote))
    write_json(files.host_checkpoints, {"items": [item.model_dump(mode="json") for item in found]})


def bring_all(link: HostLink, remote: str, files: OperationFiles, *, result: dict[str, Any] | None) -> None:
    """Bring what a run leaves behind: artifacts, environment, checkpoints' list, and the result where it completed."""
    with room_on_disk():
        files.artifacts.mkdir(parents=True, exist_ok=True)
        link.fetch_artifacts(remote, files.artifacts)
    bring_checkpoints(link, remote, files)
    with suppress(NotFound):  # a run that never started has none
        write_json(files.environment, link.ask(lambda client: client.environment(remote)))
    if result is not None:
        write_json(files.result, result)
