"""Pages of a host are stored once, whatever is told twice, late or with other numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support import Plane, plane_at

from tutelage.control.mirror_pages import Told, has_gap, store_told
from tutelage.core import wire
from tutelage.core.clock import iso
from tutelage.core.events import EventKind
from tutelage.core.hosts import HostAddress
from tutelage.core.operation import State
from tutelage.store import mirrors

NOWHERE = {"gpu": HostAddress(url="http://127.0.0.1:9", token="tut_of-nobody-at-all-1234567890")}
STATES = [("pending", None), ("running", "pending")]


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    with plane_at(tmp_path / "home", hosts=NOWHERE) as found:
        yield found


def event(seq: int, kind: EventKind, data: dict[str, Any], *, step: int | None = None) -> wire.Event:
    at = iso(1_790_000_000.0 + seq) or ""
    return wire.Event(cursor=str(seq), seq=seq, operation="op", kind=kind, at=at, step=step, attempt=1, data=data)


def beginning() -> list[wire.Event]:
    moves = [event(i + 1, EventKind.STATE, {"state": s, "from": f, "why": ""}) for i, (s, f) in enumerate(STATES)]
    return moves + [event(i, EventKind.METRIC, {"values": {"val_loss": 1 / i}}, step=i) for i in range(3, 8)]


def told(plane: Plane, operation_id: str, events: Sequence[wire.Event], **changes: Any) -> Told:
    cursor = events[-1].cursor if events else "0"
    page = wire.EventPage(items=list(events), next_cursor=cursor)
    return Told(page=page, operation=plane.platform.operation(operation_id).model_copy(update=changes))


def seqs(plane: Plane, operation_id: str) -> list[int]:
    return [item.seq for item in plane.platform.events(operation_id).items]


def test_pages_that_overlap_are_stored_once(plane: Plane) -> None:
    operation_id, events = plane.submit(executor="host:gpu").id, beginning()
    for begin, end in ((0, 4), (0, 4), (2, 7), (0, 7)):
        store_told(plane.parts.base, operation_id, told(plane, operation_id, events[begin:end]))
    assert seqs(plane, operation_id) == list(range(1, 8))
    history = plane.platform.metrics(operation_id)
    assert (history.steps, history.repeated) == ([3, 4, 5, 6, 7], 0)
    assert plane.state(operation_id) is State.RUNNING
    assert plane.platform.operation(operation_id).attempt == 1


def test_a_gap_is_seen_and_numbers_given_anew_are_passed_over(plane: Plane) -> None:
    operation_id, events = plane.submit(executor="host:gpu").id, beginning()
    store_told(plane.parts.base, operation_id, told(plane, operation_id, events[:5]))
    with plane.parts.base.store.reading() as reading:
        mirror = mirrors.get(reading.connection, operation_id)
    assert mirror is not None
    assert has_gap(mirror, told(plane, operation_id, events[6:]).page)
    assert not has_gap(mirror, told(plane, operation_id, events[5:]).page)
    again = [item.model_copy(update={"cursor": str(int(item.cursor) + 100)}) for item in events]
    store_told(plane.parts.base, operation_id, told(plane, operation_id, again))
    assert seqs(plane, operation_id) == list(range(1, 8))


def test_an_end_brings_result_and_times(plane: Plane) -> None:
    operation_id = plane.submit(executor="host:gpu").id
    end = event(8, EventKind.STATE, {"state": "completed", "from": "running", "why": "it is done"})
    given = told(plane, operation_id, [*beginning(), end], state=State.COMPLETED, result={"success": True})
    store_told(plane.parts.base, operation_id, given)
    found = plane.platform.operation(operation_id)
    assert (found.state, found.result, found.ended_at) == (State.COMPLETED, {"success": True}, end.at)


def test_what_was_removed_meanwhile_is_let_go(plane: Plane) -> None:
    operation_id = plane.submit(executor="host:gpu").id
    page = told(plane, operation_id, beginning())
    plane.command(operation_id, "cancel")
    plane.platform.delete(operation_id)
    store_told(plane.parts.base, operation_id, page)
    with plane.parts.base.store.reading() as reading:
        assert mirrors.every(reading.connection) == []


def test_a_token_is_not_shown_with_the_settings(plane: Plane) -> None:
    assert "tut_of" not in repr(plane.parts.base.settings)


def test_it_takes_no_slot_here(plane: Plane) -> None:
    plane.submit(executor="host:gpu", resources={"cpus": 4})
    local = plane.submit({"steps": 5}, resources={"cpus": 4})
    assert plane.finish(local.id).state is State.COMPLETED
    assert plane.platform.hosts()[0].queued == 0
