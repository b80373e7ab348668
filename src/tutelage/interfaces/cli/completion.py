"""Shell completion of ids and services; asks a supervisor that is alive, and never starts one."""

from __future__ import annotations

from collections.abc import Iterator

MAX_IDS = 50


def complete_operation(incomplete: str) -> list[tuple[str, str]]:
    """Return the operations whose id begins with what is typed, with their names."""
    return [(name, about) for name, about in _operations() if name.startswith(incomplete)]


def complete_service(incomplete: str) -> list[tuple[str, str]]:
    """Return the services whose name begins with what is typed."""
    return [(name, about) for name, about in _services() if name.startswith(incomplete)]


def _operations() -> Iterator[tuple[str, str]]:
    from tutelage.client import connect
    from tutelage.core.errors import TutelageError

    try:
        with connect(start=False) as client:
            yield "last", "the newest"
            for operation in client.operations(limit=MAX_IDS).items:
                yield operation.id, f"{operation.name or operation.service}, {operation.state}"
    except TutelageError:
        return


def _services() -> Iterator[tuple[str, str]]:
    from tutelage.client import connect
    from tutelage.core.errors import TutelageError

    try:
        with connect(start=False) as client:
            for service in client.services().items:
                yield service.name, service.about.partition(":")[0]
    except TutelageError:
        return
