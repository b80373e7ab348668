"""What a host told -> rows of this home, exactly once: events, decisions and the cursor in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tutelage.control.base import Base, move
from tutelage.control.ingest import apply, points_of
from tutelage.control.ledger import decisions as decisions_of
from tutelage.control.ledger import record_outcome
from tutelage.core import wire
from tutelage.core.clock import from_iso
from tutelage.core.events import Draft, EventKind
from tutelage.core.operation import ENDED, LIVE, State
from tutelage.store import AttemptRecord, OperationRecord, Transaction, mirrors
from tutelage.store.mirrors import MirrorRecord

OWN = frozenset({EventKind.USED})
"""Kinds that each side writes of itself."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One answer of a host: events after the cursor, how the operation stands since, and its decisions if asked."""

    page: wire.EventPage
    operation: wire.Operation
    decisions: Sequence[wire.Decision] = ()


def has_gap(mirror: MirrorRecord, page: wire.EventPage) -> bool:
    """Tell whether events are missing before the page: the host lost rows in a power cut and numbered them anew."""
    return bool(page.items) and page.items[0].seq > mirror.seq + 1


def store_told(base: Base, operation_id: str, told: Told) -> None:
    """Store what a host told of an operation; events that are here already are passed over by their number."""
    with base.guard, base.store.writing() as tx:
        record, mirror = tx.operation(operation_id), mirrors.get(tx.connection, operation_id)
        if record is None or mirror is None:
            return  # removed meanwhile
        own_ids = {theirs: own for own, theirs in mirror.decisions.items()}
        _store_decisions(tx, record, mirror, told.decisions)
        fresh = [event for event in told.page.items if event.seq > mirror.seq]
        record = _store_events(tx, record, fresh, told.operation, own_ids)
        _refresh(tx, record, told.operation)
        seq = fresh[-1].seq if fresh else mirror.seq
        mirrors.change(tx.connection, operation_id, cursor=int(told.page.next_cursor), seq=seq)
    base.hub.ring()


def _store_events(
    tx: Transaction,
    record: OperationRecord,
    events: Sequence[wire.Event],
    seen: wire.Operation,
    own_ids: Mapping[str, str],
) -> OperationRecord:
    batch: list[Draft] = []
    for event in events:
        if event.kind in OWN or (event.kind is EventKind.STATE and event.data.get("from", "") is None):
            continue  # its first state is written here by the submission
        draft = _draft(event, own_ids)
        if event.kind is EventKind.STATE and "from" in event.data:
            _store_batch(tx, record, batch)
            batch, record = [], _move(tx, record, draft, seen)
        else:
            batch.append(draft)
    _store_batch(tx, record, batch)
    return tx.operation(record.id) or record


def _store_batch(tx: Transaction, record: OperationRecord, drafts: Sequence[Draft]) -> None:
    if not drafts:
        return
    tx.add_events(record.id, drafts)
    tx.add_points(record.id, [point for draft in drafts for point in points_of(draft)])
    # What became of a command is taken from the host's ledger, which also knows outcomes that no event tells.
    apply(tx, record.id, [draft for draft in drafts if draft.kind is not EventKind.APPLIED])


def _draft(event: wire.Event, own_ids: Mapping[str, str]) -> Draft:
    data = dict(event.data)
    if event.kind in (EventKind.COMMAND, EventKind.APPLIED) and data.get("id") in own_ids:
        data["id"] = own_ids[str(data["id"])]
    return Draft(
        kind=event.kind,
        at_s=from_iso(event.at),
        data=data,
        scope=event.scope,
        step=event.step,
        attempt=event.attempt,
    )


def _move(tx: Transaction, record: OperationRecord, draft: Draft, seen: wire.Operation) -> OperationRecord:
    """Follow the host into another state, with all that a supervisor changes there."""
    record = tx.operation(record.id) or record
    state, at_s = State(str(draft.data["state"])), draft.at_s
    changes: dict[str, Any] = {}
    if state is State.RUNNING:
        changes = {"attempt": record.attempt + 1, "waiting_for": None}
        tx.add_attempt(
            AttemptRecord(
                operation=record.id,
                attempt=record.attempt + 1,
                from_step=record.checkpoint_step,
                process=None,
                started_at_s=at_s,
                ended_at_s=None,
                offset=0,
                num_bad_lines=0,
            )
        )
    if record.state in LIVE and state not in LIVE:
        tx.change_attempt(record.id, record.attempt, ended_at_s=at_s)
    if state is State.RESUMING:
        changes = {"waiting_for": None, "error": None, "result": None, "ended_at_s": None}
    if (state in ENDED or state is State.PAUSED) and seen.state is state:
        changes = {
            "stopped_early": seen.stopped_early,
            "error": seen.error.model_dump(mode="json") if seen.error else None,
            "result": seen.result,
        }
    return move(tx, record, state, at_s=at_s, why=str(draft.data.get("why", "")), **changes)


def _refresh(tx: Transaction, record: OperationRecord, seen: wire.Operation) -> None:
    """Take over what changes without an event: the assessment's sentence, and what the host waits for."""
    judgement = {
        "best": seen.metrics.best.model_dump(mode="json") if seen.metrics.best else None,
        "steps_since_improvement": seen.metrics.steps_since_improvement,
        "assessment": seen.assessment.model_dump(mode="json") if seen.assessment else None,
    }
    changes: dict[str, Any] = {}
    if judgement != record.judgement and (record.judgement or judgement["best"] or judgement["assessment"]):
        changes["judgement"] = judgement
    if seen.state is record.state:
        waiting = seen.waiting_for
        until_s = from_iso(waiting.until) if waiting and waiting.until else None
        changes["waiting_for"] = (
            {"kind": waiting.kind, "until_s": until_s, "detail": waiting.detail} if waiting else None
        )
    if changes:
        tx.change_operation(record.id, **changes)


def _store_decisions(
    tx: Transaction, record: OperationRecord, mirror: MirrorRecord, given: Sequence[wire.Decision]
) -> None:
    """Bring the ledger up to the host's: decisions taken there, by a policy or by others, and what became of all."""
    own_ids = {theirs: own for own, theirs in mirror.decisions.items()}
    known = {item.id: item for item in decisions_of(tx.ledger(record.id))}
    taken_there = {}
    for decision in given:
        own = own_ids.get(decision.id, decision.id)
        if own not in known:
            taken_there[decision.id] = decision.id
            _add_decision(tx, record.id, decision)
        elif known[own].status == decision.status:
            continue
        if decision.status != "accepted":
            record_outcome(
                tx,
                record.id,
                own,
                status=decision.status,
                at_s=from_iso(decision.applied_at or decision.at),
                at_step=decision.at_step,
                detail=decision.detail,
                created=decision.created,
            )
    if taken_there:
        mirrors.change(tx.connection, record.id, decisions={**mirror.decisions, **taken_there})


def _add_decision(tx: Transaction, operation_id: str, decision: wire.Decision) -> None:
    data = {
        "verb": str(decision.verb),
        "args": decision.args,
        "reason": decision.reason,
        "principal": decision.principal.model_dump(),
        "verdict": decision.verdict,
        "evidence": [item.model_dump(mode="json") for item in decision.evidence],
        "state": None,
    }
    at_s = from_iso(decision.at)
    tx.append_ledger(operation=operation_id, decision=decision.id, kind="decision", at_s=at_s, data=data)
