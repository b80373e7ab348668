"""Decisions: written as ledger entries, read back as the wire's objects with what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ulid import ULID

from tutelage.core.clock import iso
from tutelage.core.commands import Command, Verb
from tutelage.core.wire import CommandRequest, Decision, Principal
from tutelage.store import OperationRecord, Transaction
from tutelage.store.records import LedgerEntry


def record_decision(
    tx: Transaction, record: OperationRecord, request: CommandRequest, *, principal: Principal, at_s: float
) -> Command:
    """Append a decision with the evidence it was taken on; return the command it stands for."""
    decision = f"dec_{str(ULID()).lower()}"
    assessment = (record.judgement or {}).get("assessment") or {}
    data = {
        "verb": str(request.verb),
        "args": request.args,
        "reason": request.reason,
        "principal": principal.model_dump(),
        "verdict": assessment.get("verdict"),
        "evidence": assessment.get("evidence", []),
        "state": str(record.state),
    }
    tx.append_ledger(operation=record.id, decision=decision, kind="decision", at_s=at_s, data=data)
    return Command(id=decision, verb=request.verb, args=request.args, reason=request.reason)


def record_outcome(
    tx: Transaction,
    operation: str,
    decision: str,
    *,
    status: str,
    at_s: float,
    at_step: int | None = None,
    detail: str = "",
    created: str | None = None,
) -> None:
    """Append what became of a decision."""
    data = {"status": status, "at_step": at_step, "detail": detail, "created": created}
    tx.append_ledger(operation=operation, decision=decision, kind="outcome", at_s=at_s, data=data)


def decisions(entries: list[LedgerEntry]) -> list[Decision]:
    """Join entries into decisions, oldest first."""
    found: dict[str, Decision] = {}
    for entry in entries:
        if entry.kind == "decision":
            found[entry.decision] = _decision(entry)
        elif entry.decision in found:
            found[entry.decision] = found[entry.decision].model_copy(update=_outcome(entry))
    return list(found.values())


def open_commands(entries: list[LedgerEntry], *, checkpoint_step: int | None, wanted: str | None) -> list[Command]:
    """Return what a new attempt must hear: tunes that its checkpoint does not hold, an approval, a wanted stop.

    A tune that took effect after the checkpoint is given again. A refused approval is heard as a stop.
    """
    heard = []
    for decision in decisions(entries):
        lost = decision.at_step is not None and decision.at_step > (-1 if checkpoint_step is None else checkpoint_step)
        is_open = decision.status == "accepted"
        repeat = decision.verb is Verb.TUNE and decision.status == "applied" and lost
        stop = decision.verb in (Verb.STOP, Verb.REJECT) and wanted == Verb.STOP
        if (is_open and (decision.verb in (Verb.TUNE, Verb.APPROVE) or stop)) or repeat:
            verb = Verb.STOP if stop else decision.verb
            heard.append(Command(id=decision.id, verb=verb, args=decision.args, reason=decision.reason))
    return heard


def _decision(entry: LedgerEntry) -> Decision:
    data: Mapping[str, Any] = entry.data
    return Decision(
        id=entry.decision,
        operation=entry.operation,
        at=iso(entry.at_s) or "",
        verb=data["verb"],
        args=data["args"],
        principal=data["principal"],
        reason=data["reason"],
        verdict=data["verdict"],
        evidence=data["evidence"],
        hash=entry.hash,
        previous_hash=entry.previous_hash,
    )


def _outcome(entry: LedgerEntry) -> dict[str, Any]:
    data: Mapping[str, Any] = entry.data
    return {
        "status": data["status"],
        "detail": data["detail"],
        "at_step": data["at_step"],
        "applied_at": iso(entry.at_s),
        "created": data["created"],
    }
