"""Summaries of many operations say what each operation's own series say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.test_store import an_operation

from tutelage.store import Store
from tutelage.store.records import Point


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "t.db")
    yield opened
    opened.close()


def report(store: Store, operation: str, *points: tuple[str, str, int, float]) -> None:
    with store.writing() as tx:
        rows = [Point(scope=scope, metric=name, attempt=1, step=step, value=y) for scope, name, step, y in points]
        tx.add_points(operation, rows)


def test_a_summary_is_what_the_series_of_the_operation_are(store: Store) -> None:
    names = ("op_a", "op_b", "op_c")
    with store.writing() as tx:
        for name in names:
            tx.add_operation(an_operation(name))
    report(store, "op_a", ("", "loss", 1, 3.0), ("", "loss", 2, float("nan")), ("seed=4", "loss", 1, 9.0))
    report(store, "op_b", ("system", "cpu", 1, 50.0), ("", "score", 7, 0.5))
    with store.reading() as reading:
        for name, found in reading.summaries(names).items():
            assert str(list(found.series)) == str(reading.series(name, scope=""))
            assert list(found.scopes) == reading.scopes(name)


def test_operations_come_in_the_order_asked_and_unknown_ids_are_left_out(store: Store) -> None:
    with store.writing() as tx:
        for name in ("op_a", "op_b"):
            tx.add_operation(an_operation(name))
    with store.reading() as reading:
        assert [item.id for item in reading.operations_of(["op_b", "op_x", "op_a"])] == ["op_b", "op_a"]
        assert reading.operation_ids() == ["op_b", "op_a"]
        assert reading.summaries([]) == {}
