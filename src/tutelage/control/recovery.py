"""What becomes of an operation whose worker is gone. Decided from what it left behind, never from a guess."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

from tutelage.control.base import Base, move
from tutelage.control.exports import with_experiment
from tutelage.control.files import read_json, tail_lines
from tutelage.control.ledger import decisions, record_outcome
from tutelage.core.commands import ENDING, Verb
from tutelage.core.errors import TutelageError, WorkerLost
from tutelage.core.events import EventKind
from tutelage.core.operation import State
from tutelage.core.service import load
from tutelage.core.spec import Policy
from tutelage.core.tracking import experiment_of
from tutelage.store import OperationRecord, Transaction
from tutelage.store.store import Reading

LOG_TAIL = 20
WORKER_KINDS = (EventKind.STATE, EventKind.ERROR, EventKind.RESULT)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Where a gone worker leaves its operation, why, and with what error."""

    state: State
    why: str
    error: dict[str, Any] | None = None
    result: dict[str, Any] | None = None


def settle(
    base: Base, tx: Transaction, record: OperationRecord, *, exit_code: int | None, doom: TutelageError | None
) -> OperationRecord:
    """Bring an operation whose worker is gone into its next state; interrupted ones go back to the queue."""
    at_s = base.clock()
    ending = ending_of(base, tx, record, exit_code=exit_code, doom=doom)
    tx.change_attempt(record.id, record.attempt, ended_at_s=at_s)
    changes: dict[str, Any] = {"error": ending.error, "result": ending.result}
    if ending.state is State.COMPLETED:
        changes["stopped_early"] = record.stopped_early or record.wanted == Verb.STOP
    if ending.state is State.PAUSED:
        changes["stopped_early"] = record.stopped_early or record.state is State.STOPPING
        changes["wanted"] = None
    moved = move(tx, record, ending.state, at_s=at_s, why=ending.why, **changes)
    if ending.state is State.INTERRUPTED:
        moved = _again(tx, moved, at_s=at_s)
    if moved.state is not State.RESUMING:
        _close_decisions(tx, moved, at_s=at_s)
    return moved


def ending_of(
    base: Base, tx: Reading, record: OperationRecord, *, exit_code: int | None, doom: TutelageError | None
) -> Ending:
    """Return where a gone worker leaves its operation; nothing is changed."""
    files = base.files.operation(record.id)
    result = read_json(files.result)
    if isinstance(result, dict):
        shown = with_experiment(result, experiment_of(files))
        return Ending(state=State.COMPLETED, why="the result document is there", result=shown)
    said = _said(tx, record)
    if "error" in said:
        return _failed(base, record, said["error"], why="the training failed")
    if doom is not None:
        return _failed(base, record, _error(doom), why=doom.message)
    return _deliberate(record, said) or _interrupted(base, record, exit_code=exit_code)


def _failed(base: Base, record: OperationRecord, error: dict[str, Any], *, why: str) -> Ending:
    """Keep what the run left: the end of its log, and its service's result document of a failure."""
    files, service = base.files.operation(record.id), base.service_of(record)
    document = load(service.failure)(error, files.root) if service and service.failure else None
    error = {**error, "log_tail": tail_lines(files.log, LOG_TAIL)}
    return Ending(state=State.FAILED, why=why, error=error, result=document)


def _error(error: TutelageError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "hint": error.hint}


def _deliberate(record: OperationRecord, said: dict[str, Any]) -> Ending | None:
    if said.get("state") == "paused" and (record.state is not State.STOPPING or said.get("verb") == Verb.STOP):
        waits = (record.waiting_for or {}).get("kind") == "approval"
        return Ending(state=State.PAUSED, why="it waits for an approval" if waits else "asked for")
    if said.get("state") == "cancelled" or record.wanted == Verb.CANCEL:
        return Ending(state=State.CANCELLED, why="asked for")
    if record.wanted == Verb.PAUSE:
        return Ending(state=State.PAUSED, why="the worker died while it paused; its last checkpoint is kept")
    return None


def _interrupted(base: Base, record: OperationRecord, *, exit_code: int | None) -> Ending:
    """Restart while successive restarts without a new checkpoint stay within `max_restarts`."""
    allowed = Policy.model_validate(record.spec.get("policy", {})).max_restarts
    how = _how(exit_code)
    if record.num_restarts < allowed:
        return Ending(state=State.INTERRUPTED, why=f"the worker died{how}; restarting by itself")
    lost = WorkerLost(
        f"the worker died{how} {record.num_restarts + 1} times in a row without a new checkpoint",
        hint="the log's last lines may say why; `tutelage resume ID` tries again from the last checkpoint",
    )
    return _failed(base, record, _error(lost), why=lost.message)


def _again(tx: Transaction, record: OperationRecord, *, at_s: float) -> OperationRecord:
    restarts = record.num_restarts + 1
    return move(tx, record, State.RESUMING, at_s=at_s, why=f"restart {restarts}", num_restarts=restarts)


def _said(tx: Reading, record: OperationRecord) -> dict[str, Any]:
    """Return what the worker itself said of its end in this attempt."""
    said: dict[str, Any] = {}
    for event in tx.events(record.id, limit=100_000, kinds=WORKER_KINDS):
        if event.attempt != record.attempt or "from" in event.data:
            continue
        if event.kind is EventKind.ERROR:
            said["error"] = dict(event.data)
        elif "state" in event.data:
            said.update(state=event.data["state"], verb=event.data.get("verb"))
    return said


def _close_decisions(tx: Transaction, record: OperationRecord, *, at_s: float) -> None:
    """Say of each command still open what became of it, now that the worker is gone."""
    followed = {State.PAUSED: Verb.PAUSE, State.CANCELLED: Verb.CANCEL, State.COMPLETED: Verb.STOP}.get(record.state)
    for decision in decisions(tx.ledger(record.id)):
        if decision.status != "accepted" or (decision.verb is Verb.TUNE and record.state is State.PAUSED):
            continue
        done = decision.verb is followed and decision.verb in ENDING
        detail = (
            "the worker ended without confirming it" if done else f"the operation was {record.state} before it was read"
        )
        status = "applied" if done else "refused"
        record_outcome(
            tx, record.id, decision.id, status=status, at_s=at_s, at_step=record.checkpoint_step, detail=detail
        )


def _how(exit_code: int | None) -> str:
    if exit_code is None:
        return ""
    if exit_code < 0:
        try:
            return f" by signal {signal.Signals(-exit_code).name}"
        except ValueError:
            return f" by signal {-exit_code}"
    return f" with exit code {exit_code}"
