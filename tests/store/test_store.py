"""The store: migrations, transactions, events, the ledger, errors in our words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from tutelage.core.errors import DiskFull
from tutelage.core.events import Draft, EventKind
from tutelage.store import OperationRecord, Store, ledger, migrate
from tutelage.store.schema import METADATA


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path / "t.db")
    yield opened
    opened.close()


def an_operation(name: str = "op_a", **changes: object) -> OperationRecord:
    given = {
        "id": name,
        "service": "fake",
        "spec": {"service": "fake"},
        "owner_name": "me",
        "owner_kind": "person",
        "tags": {},
        "progress": {},
        "definitions": {},
        "created_at_s": 1.0,
    }
    return OperationRecord(**{**given, **changes})


def a_log(text: str) -> Draft:
    return Draft(kind=EventKind.LOG, at_s=1.0, data={"text": text})


def test_the_migrations_make_just_the_schema(tmp_path: Path) -> None:
    migrate.upgrade(tmp_path / "t.db")
    engine = create_engine(f"sqlite:///{tmp_path / 't.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_the_head_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(migrate.MIGRATIONS)).get_heads() == [migrate.HEAD]


def test_a_database_that_is_there_is_opened_again(tmp_path: Path) -> None:
    with Store(tmp_path / "t.db").writing() as tx:
        tx.add_operation(an_operation())
    again = Store(tmp_path / "t.db")
    with again.reading() as reading:
        assert reading.operation("op_a") == an_operation()
    again.close()
    assert (tmp_path / "t.db").stat().st_mode & 0o777 == 0o600


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with store.writing() as tx:
        tx.add_operation(an_operation())
        tx.add_events("op_a", [a_log("kept")])
    with pytest.raises(TypeError), store.writing() as tx:
        tx.add_events("op_a", [a_log("lost"), Draft(kind=EventKind.LOG, at_s=1.0, data={"not": {"json"}})])
    with store.writing() as tx:
        tx.add_events("op_a", [a_log("next")])
    with store.reading() as reading:
        assert [(event.seq, event.data["text"]) for event in reading.events("op_a")] == [(1, "kept"), (2, "next")]


def test_events_are_numbered_densely_per_operation(store: Store) -> None:
    with store.writing() as tx:
        for name in ("op_a", "op_b"):
            tx.add_operation(an_operation(name))
        tx.add_events("op_a", [a_log("1"), a_log("2")])
        tx.add_events("op_b", [a_log("1")])
        tx.add_events("op_a", [a_log("3")])
    with store.reading() as reading:
        assert [event.seq for event in reading.events("op_a")] == [1, 2, 3]
        assert [event.seq for event in reading.events("op_b")] == [1]
        rows = [event.row for event in reading.events(None)]
        assert rows == sorted(rows)
        assert reading.last_row() == rows[-1]


def test_one_line_of_a_worker_is_never_stored_twice(store: Store) -> None:
    line = Draft(kind=EventKind.LOG, at_s=1.0, attempt=1, offset=0)
    with store.writing() as tx:
        tx.add_operation(an_operation())
        tx.add_events("op_a", [line])
    with pytest.raises(Exception, match="UNIQUE"), store.writing() as tx:
        tx.add_events("op_a", [line])


def test_removal_keeps_the_ledger(store: Store) -> None:
    with store.writing() as tx:
        tx.add_operation(an_operation())
        tx.add_events("op_a", [a_log("x")])
        tx.append_ledger(operation="op_a", decision="dec_1", kind="decision", at_s=1.0, data={"verb": "stop"})
        tx.remove_operation("op_a")
    with store.reading() as reading:
        assert reading.operation("op_a") is None
        assert reading.events("op_a") == []
        assert [entry.decision for entry in reading.ledger("op_a")] == ["dec_1"]


@pytest.mark.parametrize(
    "forgery",
    [
        'UPDATE ledger SET data=\'{"verb": "cancel"}\' WHERE entry=2',
        "UPDATE ledger SET at_s=9 WHERE entry=2",
        "UPDATE ledger SET operation='op_z' WHERE entry=2",
        "DELETE FROM ledger WHERE entry=2",
    ],
)
def test_a_changed_ledger_is_noticed(tmp_path: Path, forgery: str) -> None:
    store = Store(tmp_path / "t.db")
    with store.writing() as tx:
        for number in range(4):
            tx.append_ledger(
                operation="op_a", decision=f"dec_{number}", kind="decision", at_s=1.5, data={"verb": "stop"}
            )
    with store.reading() as reading:
        assert ledger.first_broken(reading.ledger()) is None
    store.close()
    with sqlite3.connect(tmp_path / "t.db") as connection:
        connection.execute(forgery)
    connection.close()
    again = Store(tmp_path / "t.db")
    with again.reading() as reading:
        assert ledger.first_broken(reading.ledger()) in (2, 3)
    again.close()


def test_a_full_disk_is_said_in_our_words_and_nothing_is_half_written(store: Store) -> None:
    with store.writing() as tx:
        tx.add_operation(an_operation())
        pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar()
    with store.writing() as tx:
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count={int(pages) + 2}")
    with pytest.raises(DiskFull, match="full"), store.writing() as tx:
        tx.add_events("op_a", [a_log("x" * 4000) for _ in range(50)])
    with store.writing() as tx:
        tx.connection.exec_driver_sql("PRAGMA max_page_count=100000")
    with store.writing() as tx:
        tx.add_events("op_a", [a_log("there is room again")])
    with store.reading() as reading:
        assert [event.seq for event in reading.events("op_a")] == [1]
