"""Event files -> rows, exactly once: a batch of lines and the byte offset after it in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tutelage.control.ledger import record_outcome
from tutelage.core.events import MAX_LINE_BYTES, BadLine, Draft, EventKind, decode_line
from tutelage.core.numbers import from_json_number
from tutelage.store import Store, Transaction
from tutelage.store.database import Durability
from tutelage.store.records import Point

BLOCK_BYTES = 2 << 20
MAX_NAME = 120
DURABLE = frozenset({EventKind.STATE, EventKind.APPLIED, EventKind.CHECKPOINT, EventKind.RESULT, EventKind.ERROR})
"""Kinds that are committed to the disk before anyone sees them; the rest could be read again after a power cut."""


def ingest(store: Store, path: Path, *, operation: str, attempt: int, offset: int) -> int:
    """Store the complete lines after `offset`; return the new offset.

    At most one block is read, so that no writer holds the others up; call again while the offset moves.
    """
    block = _complete_lines(path, offset)
    if not block:
        return offset
    drafts, num_bad = [], 0
    for line, at in _lines(block, offset):
        try:
            drafts.append(_checked(decode_line(line, attempt=attempt, offset=at)))
        except BadLine as error:
            num_bad += 1
            drafts.append(_bad_line(str(error), attempt=attempt, offset=at))
    durability: Durability = "FULL" if any(draft.kind in DURABLE for draft in drafts) else "NORMAL"
    with store.writing(durability) as tx:
        tx.add_events(operation, drafts)
        tx.add_points(operation, [point for draft in drafts for point in points_of(draft)])
        apply(tx, operation, drafts)
        stored = tx.attempts(operation)[-1]
        tx.change_attempt(operation, attempt, offset=offset + len(block), num_bad_lines=stored.num_bad_lines + num_bad)
    return offset + len(block)


def points_of(draft: Draft) -> Iterator[Point]:
    """Return the numbers that a metric event reports."""
    if draft.kind is not EventKind.METRIC or draft.step is None:
        return
    for name, value in draft.data.get("values", {}).items():
        yield Point(
            scope=draft.scope, metric=name, attempt=draft.attempt, step=draft.step, value=float(from_json_number(value))
        )


def _complete_lines(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            block = file.read(BLOCK_BYTES)
    except FileNotFoundError:
        return b""
    end = block.rfind(b"\n") + 1
    if not end and len(block) > MAX_LINE_BYTES:
        return block  # one line beyond every limit: taken as a bad line, or it would block the file for ever
    return block[:end]


def _lines(block: bytes, offset: int) -> Iterator[tuple[bytes, int]]:
    for line in block.splitlines(keepends=True):
        yield line, offset
        offset += len(line)


def _checked(draft: Draft) -> Draft:
    """Refuse metric events whose values are not numbers."""
    if draft.kind is not EventKind.METRIC:
        return draft
    values = draft.data.get("values", {})
    if not isinstance(values, dict) or (values and draft.step is None):
        raise BadLine("a metric event needs values and a step")
    for name, value in values.items():
        number = from_json_number(value)
        if isinstance(number, bool) or not isinstance(number, int | float) or len(name) > MAX_NAME:
            raise BadLine(f"metric {name[:MAX_NAME]!r} is not a number: {str(value)[:80]}")
    return draft


def _bad_line(text: str, *, attempt: int, offset: int) -> Draft:
    data = {"level": "error", "text": f"a line of the event file was refused: {text}"}
    return Draft(kind=EventKind.LOG, at_s=0.0, data=data, attempt=attempt, offset=offset)


def apply(tx: Transaction, operation: str, drafts: Sequence[Draft]) -> None:
    """Bring the operation's row up to what the events say; one update a batch."""
    record = tx.operation(operation)
    assert record is not None, "events are read for stored operations only"
    changes: dict[str, Any] = {
        "progress": dict(record.progress),
        "definitions": dict(record.definitions),
    }
    for draft in drafts:
        handler = HANDLERS.get(draft.kind)
        if handler:
            handler(tx, operation, draft, changes)
    tx.change_operation(operation, **changes)


Changes = dict[str, Any]


def _on_metric(tx: Transaction, operation: str, draft: Draft, changes: Changes) -> None:
    for name, given in draft.data.get("define", {}).items():
        known = changes["definitions"].pop(name, {})  # popped, so that the objective named last stands last
        changes["definitions"][name] = {**known, **given}
    if "judge" in draft.data:
        until = draft.data.get("until")
        changes["judged"] = dict.fromkeys(draft.data["judge"], until if isinstance(until, int) else None)


def _on_progress(tx: Transaction, operation: str, draft: Draft, changes: Changes) -> None:
    before: Mapping[str, Any] = changes["progress"]
    done = draft.data.get("done")
    begins = before.get("attempt") != draft.attempt or before.get("total") != draft.data.get("total")
    first, began_s = (done, draft.at_s) if begins else (before.get("first"), before.get("began_s"))
    changes["progress"] = {
        **{key: draft.data.get(key) for key in ("done", "total", "message", "unit")},
        "attempt": draft.attempt,
        "at_s": draft.at_s,
        "first": first,
        "began_s": began_s,
    }


def _on_phase(tx: Transaction, operation: str, draft: Draft, changes: Changes) -> None:
    changes["phase"] = str(draft.data.get("phase", ""))[:MAX_NAME]


def _on_checkpoint(tx: Transaction, operation: str, draft: Draft, changes: Changes) -> None:
    changes["checkpoint_step"] = draft.step
    changes["num_restarts"] = 0


def _on_attempt(tx: Transaction, operation: str, draft: Draft, changes: Changes) -> None:
    tx.change_attempt(operation, draft.attempt, from_step=draft.data.get("from_step"))


def _on_applied(tx: Transaction, operation: str, draft: Draft, changes: Changes) -> None:
    data = draft.data
    record_outcome(
        tx,
        operation,
        str(data.get("id")),
        status="applied" if data.get("status") == "applied" else "refused",
        at_s=draft.at_s,
        at_step=draft.step,
        detail=str(data.get("detail", "")),
    )


def _on_state(tx: Transaction, operation: str, draft: Draft, changes: Changes) -> None:
    if "waiting_for" in draft.data:
        changes["waiting_for"] = draft.data["waiting_for"]


HANDLERS: Mapping[EventKind, Callable[[Transaction, str, Draft, Changes], None]] = {
    EventKind.METRIC: _on_metric,
    EventKind.PROGRESS: _on_progress,
    EventKind.PHASE: _on_phase,
    EventKind.CHECKPOINT: _on_checkpoint,
    EventKind.ATTEMPT_STARTED: _on_attempt,
    EventKind.APPLIED: _on_applied,
    EventKind.STATE: _on_state,
}
