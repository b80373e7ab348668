"""Addresses of databases as a job writes them: their parts, and what of them may be shown."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

DRIVERS = {"postgresql": ("psycopg", "pip install 'tutelage[postgres]'")}
"""Scheme -> the package that it needs, and how it is installed."""

CREDENTIALS = re.compile(r"(?<=://).*@")
"""Up to the last @: a password may hold any sign."""

SQL = re.compile(r"(?P<address>[A-Za-z0-9+]+://[^?]*)\?(?P<options>(?:[^?&=\s]+=[^?&\s]*&)*)query=(?P<query>.+)", re.S)
"""An address, options as `name=value&`, and the query, which comes last."""


def shown_source(value: str) -> str:
    """Return a source as it may be shown and kept: a database's user, password and options are left out."""
    found = SQL.fullmatch(value)
    if not found:
        return f"{value.partition('://')[0]}://..." if "://" in value else value
    return f"{CREDENTIALS.sub('', found['address'])}?query={found['query']}"


def sql_text(written: str) -> str:
    """Return the query: as it is written where it has blanks, else with its percent signs decoded."""
    return written if re.search(r"\s", written) else unquote_plus(written)
