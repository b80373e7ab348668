"""A home of each released schema opens, keeps what it held, and ends at the present schema."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from tutelage.store import Store, migrate
from tutelage.store.schema import METADATA

RELEASED = [item.revision for item in ScriptDirectory(str(migrate.MIGRATIONS)).walk_revisions()]
NUMBERED = {"attempt": 1, "num_restarts": 0, "stopped_early": 0, "created_at_s": 1.0}
JSON_COLUMNS = {"spec": {"service": "fake"}, "tags": {"a": "b"}, "progress": {}, "definitions": {}, "judged": []}


def made_at(path: Path, revision: str) -> None:
    """Make a database of a revision that holds one operation."""
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}")
    command.upgrade(config, revision)
    texts = dict.fromkeys(("service", "name", "notes", "phase", "executor", "owner_name", "owner_kind"), "fake")
    row = {"id": "op_" + "0" * 26, "state": "completed", **texts, **NUMBERED}
    row |= {name: json.dumps(value) for name, value in JSON_COLUMNS.items()}
    marks = ",".join("?" * len(row))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"INSERT INTO operations({','.join(row)}) VALUES({marks})", list(row.values()))


@pytest.mark.parametrize("revision", RELEASED)
def test_it_opens_and_keeps_what_it_held(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "tutelage.db"
    made_at(path, revision)
    store = Store(path)
    with store.reading() as reading:
        assert [record.tags for record in reading.operations()] == [{"a": "b"}]
    store.close()
    assert migrate.current(path) == migrate.HEAD
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()
