"""SQLite as this project uses it: WAL, one writing connection, BEGIN IMMEDIATE, errors in our words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool, StaticPool

from tutelage.core.errors import DatabaseLocked, DiskFull

Durability = Literal["FULL", "NORMAL"]
BUSY_MS = 5_000


class Database:
    """One file: a single writing connection behind a lock, and a few reading ones.

    `writing("FULL")` survives a power cut once it returns; `"NORMAL"` survives any kill, and may lose the last
    transactions in a power cut (metrics and logs, which the event files still hold).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = _engine(path, poolclass=StaticPool, begin="BEGIN IMMEDIATE")
        self._readers = _engine(path, poolclass=QueuePool, begin="BEGIN")
        self._lock = threading.Lock()

    @contextmanager
    def writing(self, durability: Durability = "FULL") -> Iterator[Connection]:
        """Open the one writing transaction; committed at the end, rolled back on any error."""
        with self._lock, _in_our_words(), self._writer.connect() as connection:
            dbapi: Any = connection.connection.dbapi_connection
            dbapi.execute(f"PRAGMA synchronous={durability}")
            with connection.begin():
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a short snapshot."""
        with _in_our_words(), self._readers.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close every connection; the write-ahead log is folded into the file."""
        self._readers.dispose()
        self._writer.dispose()


def _engine(path: Path, *, poolclass: Any, begin: str) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}", poolclass=poolclass, connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000}
    )

    @event.listens_for(engine, "connect")
    def configure(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None
        dbapi.execute("PRAGMA journal_mode=WAL")
        dbapi.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        dbapi.execute("PRAGMA temp_store=MEMORY")
        dbapi.execute("PRAGMA cache_size=-16000")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        text = str(error.orig)
        if "full" in text or "disk I/O" in text:
            raise DiskFull(
                f"the database could not be written: {text}",
                hint="free some space; nothing that was acknowledged is lost, and the supervisor goes on by itself",
            ) from error
        if "locked" in text or "busy" in text:
            raise DatabaseLocked(
                f"the database was held by another process for more than {BUSY_MS / 1000:g} s",
                hint="close the program that has it open for writing; nothing is lost, try again",
            ) from error
        raise
