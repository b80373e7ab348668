"""Operations that run on a host: what they are called there, and how far they were mirrored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, update

from tutelage.store.schema import MIRRORS


@dataclass(frozen=True, kw_only=True)
class MirrorRecord:
    """How far one operation was mirrored.

    `remote` is its id on the host, None until the host has taken it. `cursor` and `seq` are those of the last event
    read there; `log_cursor` is the byte read of the log there, `log_bytes` its length here. `decisions` maps the id
    of each decision here to the id that the host gave it.
    """

    operation: str
    host: str
    remote: str | None = None
    cursor: int = 0
    seq: int = 0
    log_cursor: int = 0
    log_bytes: int = 0
    decisions: Mapping[str, str] = field(default_factory=dict)


def add(connection: Connection, record: MirrorRecord) -> None:
    """Store that an operation runs on a host."""
    connection.execute(insert(MIRRORS).values(asdict(record)))


def get(connection: Connection, operation: str) -> MirrorRecord | None:
    """Return how far an operation was mirrored, or None for one of this machine."""
    row = connection.execute(select(MIRRORS).where(MIRRORS.c.operation == operation)).mappings().first()
    return MirrorRecord(**row) if row else None


def every(connection: Connection) -> list[MirrorRecord]:
    """Return all of them."""
    return [MirrorRecord(**row) for row in connection.execute(select(MIRRORS).order_by(MIRRORS.c.operation)).mappings()]


def change(connection: Connection, operation: str, **values: Any) -> None:
    """Change columns of one."""
    connection.execute(update(MIRRORS).where(MIRRORS.c.operation == operation).values(**values))
