"""Reads the rows of a query from SQLite or PostgreSQL, read-only. What may be secret in the address is never told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tutelage.core.errors import MissingDependency
from tutelage.services.tabular.addresses import DRIVERS, SQL, sql_text
from tutelage.services.tabular.data.limits import Budget
from tutelage.services.tabular.data.readers.base import Content, first_line, frame_hash, named
from tutelage.services.tabular.errors import DataEmpty, DataUnreadable

ROWS_A_CHUNK = 20_000
COPIES = 2.0
CONNECT_S = 10


def read_query(source: str, budget: Budget) -> Content:
    """Run a query and return its rows. Raises DataUnreadable, DataEmpty, MissingDependency or MemoryLimit."""
    found = SQL.fullmatch(source)
    assert found, "sources are checked before they are read"
    scheme = source.partition(":")[0].lower().partition("+")[0]
    url = _url(found["address"] + ("?" + found["options"].rstrip("&") if found["options"] else ""), scheme)
    try:
        engine = _engine(url, scheme)
        with engine.connect() as connection:
            chunks = list(_chunks(connection, sql_text(found["query"]), budget))
    except ImportError as error:
        _, install = DRIVERS.get(scheme, ("", ""))
        raise MissingDependency(f"{scheme} needs a driver that is not installed: {error}", hint=install) from None
    except SQLAlchemyError as error:
        said = _without_secrets(first_line(getattr(error, "orig", None) or error), url)
        raise DataUnreadable(
            f"the query on {url.database!r} failed: {said}", hint="try the query in the database's own client"
        ) from None  # the cause may hold the address with its password
    if not chunks:
        raise DataEmpty(f"the query on {url.database!r} gives no column", hint="select at least one column")
    frame = named(pd.concat(chunks, ignore_index=True), "the query's answer")
    return Content(frame=frame, format=scheme, sha256=frame_hash(frame))


def _url(address: str, scheme: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        raise DataUnreadable(
            f"the address of the {scheme} database cannot be read",
            hint="postgresql://user@host/database?query=SELECT ...",
        ) from None
    return url.set(drivername="postgresql+psycopg") if scheme == "postgresql" else url


def _engine(url: URL, scheme: str) -> Any:
    if scheme != "sqlite":
        engine = sqlalchemy.create_engine(
            url, poolclass=sqlalchemy.NullPool, connect_args={"connect_timeout": CONNECT_S}
        )
        return engine.execution_options(postgresql_readonly=True)
    path = Path(url.database or "")
    if not path.is_file():
        raise DataUnreadable(f"there is no database file {path}", hint="sqlite:/// is followed by the file's path")
    address = f"sqlite:///file:{quote(str(path))}?mode=ro&uri=true"
    return sqlalchemy.create_engine(address, poolclass=sqlalchemy.NullPool)


def _chunks(connection: Any, query: str, budget: Budget) -> Iterator[Any]:
    filled = 0.0
    streamed = connection.execution_options(stream_results=True)
    result = streamed.exec_driver_sql(query)
    if not result.returns_rows:
        return
    names = [str(name) for name in result.keys()]  # noqa: SIM118  a result's own method
    is_empty = True
    while rows := result.fetchmany(ROWS_A_CHUNK):
        chunk = pd.DataFrame.from_records([tuple(row) for row in rows], columns=names, coerce_float=True)
        filled += float(chunk.memory_usage(deep=True).sum())
        budget.check(COPIES * filled, "the query's answer")
        is_empty = False
        yield chunk
    if is_empty:
        yield pd.DataFrame(columns=names)


def _without_secrets(text: str, url: URL) -> str:
    for secret in (url.password, *url.query.values()):
        if isinstance(secret, str) and len(secret) > 2:
            text = text.replace(secret, "***")
    return text
