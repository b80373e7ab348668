"""Lists: what needs somebody comes first, then the newest; a list reads only what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tutelage.control.listing import Wish, urgent_first
from tutelage.core.operation import State
from tutelage.store import OperationRecord, Store

NOW_S = 1_000_000.0
DAY_S = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "t.db")
    yield opened
    opened.close()


def add(store: Store, given_id: str, state: State = State.COMPLETED, **changes: object) -> None:
    given = {
        "id": given_id,
        "service": "fake",
        "state": state,
        "spec": {"service": "fake"},
        "owner_name": "me",
        "owner_kind": "person",
        "tags": {},
        "progress": {},
        "definitions": {},
        "created_at_s": 1.0,
        "ended_at_s": NOW_S - 60,
    }
    with store.writing() as tx:
        tx.add_operation(OperationRecord(**{**given, **changes}))


def order(store: Store, *states: State, **wish: str) -> str:
    with store.reading() as reading:
        return "".join(urgent_first(reading, list(states) or None, Wish(**wish), now_s=NOW_S))


def test_a_fresh_failure_comes_before_what_is_newer(store: Store) -> None:
    for name, state in (("a", State.FAILED), ("b", State.COMPLETED), ("c", State.RUNNING)):
        add(store, name, state)
    assert order(store) == "acb"


def test_a_failure_of_yesterday_waits_its_turn(store: Store) -> None:
    add(store, "a", State.FAILED, ended_at_s=NOW_S - 2 * DAY_S)
    add(store, "b")
    assert order(store) == "ba"


def test_an_approval_comes_first(store: Store) -> None:
    add(store, "a", State.PAUSED, waiting_for={"kind": "approval", "detail": "the release"})
    add(store, "b", State.PAUSED)
    assert order(store) == "ab"


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ({}, "dcba"),
        ({"service": "tabular"}, "b"),
        ({"tag": "team"}, "dc"),
        ({"tag": "team=red"}, "c"),
        ({"tag": "=red"}, ""),
        ({"text": "CHURN"}, "a"),
        ({"text": "note"}, "d"),
        ({"service": "fake", "text": "churn"}, "a"),
        ({"service": "fake", "tag": "team=green"}, ""),
    ],
)
def test_a_list_holds_what_was_wished(store: Store, wish: dict[str, str], found: str) -> None:
    add(store, "a", name="churn 3")
    add(store, "b", service="tabular")
    add(store, "c", tags={"team": "red"})
    add(store, "d", tags={"team": "blue"}, notes="a note")
    assert order(store, **wish) == found


def test_states_limit_a_list(store: Store) -> None:
    for name, state in (("a", State.FAILED), ("b", State.COMPLETED), ("c", State.CANCELLED)):
        add(store, name, state)
    assert order(store, State.COMPLETED, State.CANCELLED) == "cb"
    assert order(store, State.FAILED) == "a"
