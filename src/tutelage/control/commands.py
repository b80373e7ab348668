"""Commands: checked against state and service, written into the ledger, carried out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from tutelage.control.base import Base, found, move
from tutelage.control.branching import branch
from tutelage.control.files import append_command
from tutelage.control.ledger import decisions, record_decision, record_outcome
from tutelage.control.mirroring import Mirroring
from tutelage.control.submission import request_hash
from tutelage.control.tuning import check_tune
from tutelage.core.commands import FOR_WORKER, Command, Verb, check_args
from tutelage.core.errors import DiskFull, IdempotencyConflict, NotFound
from tutelage.core.events import Draft, EventKind
from tutelage.core.hosts import host_of
from tutelage.core.operation import LIVE, State, check_command
from tutelage.core.service import Service
from tutelage.core.wire import CommandRequest, Decision, Principal
from tutelage.store import OperationRecord, Transaction
from tutelage.store.store import Reading

SUPERVISOR = Principal(name="supervisor", kind="program")
NEXT_STATE = {Verb.PAUSE: State.PAUSING, Verb.STOP: State.STOPPING}


class Commands:
    """Takes commands on operations."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._undelivered: list[tuple[str, Command]] = []
        self.mirroring = Mirroring(base)

    def command(
        self, operation_id: str, request: CommandRequest, *, principal: Principal, idempotency_key: str | None = None
    ) -> Decision:
        """Record a decision and carry it out; a repeated key answers the first decision."""
        base = self._base
        fingerprint = request_hash({"operation": operation_id, **request.model_dump(mode="json")})
        with base.guard:
            with base.store.writing() as tx:
                kept = kept_answer(tx, principal, idempotency_key, fingerprint)
                if kept is not None:
                    return self._decision(tx, operation_id, kept)
                record = found(tx, operation_id)
                service = self._check(record, request)
                at_s = base.clock()
                command = record_decision(tx, record, request, principal=principal, at_s=at_s)
                is_theirs = self._is_for_host(record, command)
                if not is_theirs:
                    self._carry_out(tx, record, service, command, principal=principal, at_s=at_s)
                if idempotency_key:
                    tx.keep_answer(
                        principal.name, idempotency_key, request_hash=fingerprint, answer=command.id, at_s=at_s
                    )
                decision = self._decision(tx, operation_id, command.id)
            self.mirroring.watch(record)
            if command.verb in FOR_WORKER and record.state in LIVE and not is_theirs:
                self._undelivered.append((operation_id, command))
                with contextlib.suppress(DiskFull):  # the decision stands; the next round delivers it
                    self.deliver()
        base.hub.ring()
        return decision

    def deliver(self) -> None:
        """Write what workers have not been told yet. Raises DiskFull where there is no room; asked again each round."""
        while self._undelivered:
            operation_id, command = self._undelivered[0]
            append_command(self._base.files.operation(operation_id).commands, command)
            del self._undelivered[0]

    def deliver_again(self, operation_id: str) -> None:
        """Tell a worker all that is open, in case an earlier supervisor died before it did; it hears each once."""
        with self._base.store.reading() as reading:
            is_open = [item for item in decisions(reading.ledger(operation_id)) if item.status == "accepted"]
        for item in is_open:
            if item.verb in FOR_WORKER:
                command = Command(id=item.id, verb=item.verb, args=item.args, reason=item.reason)
                self._undelivered.append((operation_id, command))

    def _check(self, record: OperationRecord, request: CommandRequest) -> Service:
        service = self._base.service_of(record)
        if service is None:
            raise NotFound(f"the service {record.service!r} is not installed any more", hint="install it again")
        approval = (record.waiting_for or {}).get("kind") == "approval"
        check_command(
            request.verb,
            record.state,
            supports=service.supports,
            approval=approval,
            has_checkpoint=record.checkpoint_step is not None,
        )
        check_args(request.verb, request.args)
        if request.verb is Verb.TUNE:
            check_tune(service, request.args)
        return service

    def _is_for_host(self, record: OperationRecord, command: Command) -> bool:
        """Tell whether a host carries the command out.

        A branch is stored here and made there when it is sent; a cancel before the host was asked needs nobody there.
        """
        if host_of(record.executor) is None or command.verb is Verb.BRANCH:
            return False
        is_asked = self._base.files.operation(record.id).host_request.exists()
        return command.verb is not Verb.CANCEL or is_asked

    def _carry_out(
        self,
        tx: Transaction,
        record: OperationRecord,
        service: Service,
        command: Command,
        *,
        principal: Principal,
        at_s: float,
    ) -> None:
        handlers: Mapping[Verb, Callable[[], None]] = {
            Verb.PAUSE: lambda: self._ask_to_end(tx, record, command, at_s=at_s),
            Verb.STOP: lambda: self._ask_to_end(tx, record, command, at_s=at_s),
            Verb.CANCEL: lambda: self._cancel(tx, record, command, at_s=at_s),
            Verb.RESUME: lambda: self._resume(tx, record, command, at_s=at_s),
            Verb.APPROVE: lambda: self._resume(tx, record, command, at_s=at_s),
            Verb.REJECT: lambda: self._resume(tx, record, command, at_s=at_s, wanted=Verb.STOP),
            Verb.BRANCH: lambda: self._branch(tx, record, command, principal=principal, at_s=at_s),
        }
        handler = handlers.get(command.verb)
        if handler:
            handler()
        if host_of(record.executor) is not None and command.verb is Verb.BRANCH:
            return  # the host tells of it in its own stream
        tx.add_events(record.id, [_told(record, command, principal=principal, at_s=at_s)])

    def _ask_to_end(self, tx: Transaction, record: OperationRecord, command: Command, *, at_s: float) -> None:
        if record.state is State.PAUSED:
            self._resume(tx, record, command, at_s=at_s, wanted=Verb.STOP)
            return
        move(
            tx,
            record,
            NEXT_STATE[command.verb],
            at_s=at_s,
            why=command.reason,
            wanted=str(command.verb),
        )

    def _cancel(self, tx: Transaction, record: OperationRecord, command: Command, *, at_s: float) -> None:
        if record.state in LIVE:
            tx.change_operation(record.id, wanted=str(Verb.CANCEL))
            return
        move(tx, record, State.CANCELLED, at_s=at_s, why=command.reason)
        record_outcome(tx, record.id, command.id, status="applied", at_s=at_s, at_step=record.checkpoint_step)

    def _resume(
        self, tx: Transaction, record: OperationRecord, command: Command, *, at_s: float, wanted: Verb | None = None
    ) -> None:
        cleared: dict[str, Any] = {"waiting_for": None, "error": None, "ended_at_s": None, "num_restarts": 0}
        cleared["wanted"] = str(wanted) if wanted else None
        move(tx, record, State.RESUMING, at_s=at_s, why=command.reason, **cleared)
        asked_by_policy = (record.waiting_for or {}).get("by") is not None
        if command.verb is Verb.RESUME or (command.verb is Verb.APPROVE and asked_by_policy):
            record_outcome(tx, record.id, command.id, status="applied", at_s=at_s, at_step=record.checkpoint_step)

    def _branch(
        self, tx: Transaction, record: OperationRecord, command: Command, *, principal: Principal, at_s: float
    ) -> None:
        child = branch(self._base, tx, record, command, principal=principal, at_s=at_s)
        step = child.checkpoint_step
        record_outcome(tx, record.id, command.id, status="applied", at_s=at_s, at_step=step, created=child.id)
        self.mirroring.watch(child)

    def _decision(self, reading: Reading, operation_id: str, decision_id: str) -> Decision:
        return next(item for item in decisions(reading.ledger(operation_id)) if item.id == decision_id)


def kept_answer(tx: Reading, principal: Principal, key: str | None, fingerprint: str) -> str | None:
    """Return the answer kept under an idempotency key; raise IdempotencyConflict for another request under it."""
    kept = tx.idempotent_answer(principal.name, key) if key else None
    if kept is None:
        return None
    if kept[0] != fingerprint:
        raise IdempotencyConflict(
            f"the idempotency key {key!r} was used for another request", hint="use a new key for a new request"
        )
    return kept[1]


def _told(record: OperationRecord, command: Command, *, principal: Principal, at_s: float) -> Draft:
    data = {**command.line(), "principal": principal.model_dump()}
    return Draft(kind=EventKind.COMMAND, at_s=at_s, data=data, attempt=record.attempt)
