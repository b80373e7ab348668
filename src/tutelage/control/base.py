"""What every part of the control plane stands on, and the one way in which an operation changes its state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tutelage.control.hub import Hub
from tutelage.control.queue import Slots
from tutelage.core.clock import now_s
from tutelage.core.errors import NotFound, TutelageError, nearest
from tutelage.core.events import Draft, EventKind
from tutelage.core.ids import is_operation_id
from tutelage.core.layout import HomeFiles
from tutelage.core.operation import ENDED, LIVE, State, check_transition
from tutelage.core.service import Service
from tutelage.executors import HostLink, LocalExecutor
from tutelage.services.registry import Registry
from tutelage.settings import Settings
from tutelage.store import OperationRecord, Store, Transaction
from tutelage.store.store import Reading


@dataclass(frozen=True, kw_only=True)
class Base:
    """The parts, put together by `main`.

    `guard` is held by whoever changes the course of an operation: a command, or the supervision's tick.
    `outstanding` asks whoever has work of its own left; while one says yes, the supervisor does not end.
    """

    settings: Settings
    files: HomeFiles
    store: Store
    executor: LocalExecutor
    registry: Registry
    machine: Slots
    hub: Hub = field(default_factory=Hub)
    guard: threading.RLock = field(default_factory=threading.RLock)
    clock: Callable[[], float] = now_s
    hosts: Mapping[str, HostLink] = field(default_factory=dict)
    outstanding: list[Callable[[], bool]] = field(default_factory=list)

    def service_of(self, record: OperationRecord) -> Service | None:
        """Return the operation's service, or None when it is not installed any more."""
        try:
            return self.registry.get(record.service)
        except TutelageError:
            return None


def found(reading: Reading, operation_id: str) -> OperationRecord:
    """Return an operation, or raise NotFound with the nearest id."""
    record = reading.operation(operation_id) if is_operation_id(operation_id) else None
    if record is None:
        close = nearest(operation_id, [item.id for item in reading.operations()[:500]])
        raise NotFound(
            f"there is no operation {operation_id!r}.{f' Did you mean {close!r}?' if close else ''}",
            hint="`tutelage ops` lists them",
        )
    return record


def move(
    tx: Transaction, record: OperationRecord, state: State, *, at_s: float, why: str = "", **changes: Any
) -> OperationRecord:
    """Bring an operation into another state: the row, and the event that tells of it."""
    check_transition(record.state, state)
    if state in ENDED:
        changes = {"ended_at_s": at_s, "wanted": None, "waiting_for": None, **changes}
    if state in LIVE and record.started_at_s is None:
        changes = {"started_at_s": at_s, **changes}
    tx.change_operation(record.id, state=str(state), **changes)
    data = {"state": str(state), "from": str(record.state), "why": why}
    tx.add_events(record.id, [Draft(kind=EventKind.STATE, at_s=at_s, data=data, attempt=record.attempt)])
    changed = tx.operation(record.id)
    assert changed is not None, "an operation that changed its state exists"
    return changed


def note(tx: Transaction, record: OperationRecord, text: str, *, at_s: float, level: str = "warning") -> None:
    """Write a line of the supervisor's own into the operation's stream."""
    data = {"level": level, "text": text}
    tx.add_events(record.id, [Draft(kind=EventKind.LOG, at_s=at_s, data=data, attempt=record.attempt)])
