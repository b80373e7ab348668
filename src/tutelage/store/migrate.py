"""Brings a database to the present schema, by alembic; a database that is there already costs one query."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

HEAD = "0003"
"""The newest revision; a test compares it with the folder of migrations."""

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(path: Path) -> None:
    """Upgrade the database at `path` to HEAD, creating it where there is none."""
    if current(path) == HEAD:
        return
    from alembic import command  # 130 ms, needed once in a home's life
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}")
    command.upgrade(config, HEAD)


def current(path: Path) -> str | None:
    """Return the revision that the database is at, or None for a new one."""
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
    return str(row[0]) if row else None
