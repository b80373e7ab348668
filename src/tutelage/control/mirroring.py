"""Operations on hosts: sent, commanded and followed, one thread a host. A cut link postpones all of it, no more."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable

from tutelage.control import mirror_files, mirror_requests
from tutelage.control.base import Base, move
from tutelage.control.ledger import decisions as decisions_of
from tutelage.control.ledger import record_outcome
from tutelage.control.mirror_pages import Told, has_gap, store_told
from tutelage.core import wire
from tutelage.core.errors import (
    DatabaseLocked,
    DiskFull,
    HostLost,
    HostUnreachable,
    NotFound,
    TutelageError,
    VersionMismatch,
)
from tutelage.core.events import EventKind
from tutelage.core.hosts import host_of
from tutelage.core.operation import ENDED, LIVE, State
from tutelage.executors import HostLink
from tutelage.store import OperationRecord, Transaction, mirrors
from tutelage.store.mirrors import MirrorRecord
from tutelage.store.store import Reading

LOG = logging.getLogger(__name__)
LIVE_PAUSE_S = 0.2
QUIET_PAUSE_S = 1.0
MAX_CUT_PAUSE_S = 5.0
SETTLING_S = 1.0
"""How long after the last event the assessment may still change without one."""

LOG_EVERY_S = 1.0
PAGE = 500
MAX_PAGES = 20
"""Pages read of one operation before the others of its host have their turn."""

TELLING = frozenset({EventKind.STATE, EventKind.COMMAND, EventKind.APPLIED})
"""Kinds of events after which the host's ledger is read."""


class Mirroring:
    """Follows the operations that run on hosts."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._active: dict[str, set[str]] = {name: set() for name in base.hosts}
        self._settled_at: dict[str, float] = {}
        self._log_due: dict[str, float] = {}
        self._bells = {name: threading.Event() for name in base.hosts}
        self._ended = threading.Event()

    @property
    def hosts(self) -> list[str]:
        """The names of the hosts; each is followed by a `run` of its own."""
        return sorted(self._bells)

    def adopt(self) -> None:
        """Go on with what an earlier supervisor followed, from the stored cursors."""
        with self._base.guard, self._base.store.reading() as reading:
            for mirror in mirrors.every(reading.connection):
                record = reading.operation(mirror.operation)
                if record is None or _is_over(reading, record, mirror):
                    continue
                if mirror.host in self._active:
                    self._active[mirror.host].add(mirror.operation)
                else:
                    self._mark(mirror.operation, f"host {mirror.host!r} stands in the settings no more")

    def watch(self, record: OperationRecord) -> None:
        """Follow an operation from now on, or tell its host at once what is new; called under the guard."""
        host = host_of(record.executor)
        if host in self._active:
            self._active[host].add(record.id)
            self._bells[host].set()

    def is_busy(self) -> bool:
        """Tell whether an operation on a host goes on, or a command waits for its host."""
        with self._base.guard, self._base.store.reading() as reading:
            for operation_id in (item for active in self._active.values() for item in active):
                record, mirror = reading.operation(operation_id), mirrors.get(reading.connection, operation_id)
                if record and mirror and (record.state is not State.PAUSED or queued(reading, record, mirror)):
                    return True
        return False

    def run(self, host: str) -> None:
        """Go round the operations of one host until `end` is called."""
        pause_s = cut_s = LIVE_PAUSE_S
        while not self._ended.is_set():
            self._bells[host].wait(pause_s)
            self._bells[host].clear()
            try:
                pause_s = LIVE_PAUSE_S if self._round_or_wait(host) else QUIET_PAUSE_S
                cut_s = LIVE_PAUSE_S
            except (HostUnreachable, DiskFull, DatabaseLocked, OSError) as error:
                if not isinstance(error, HostUnreachable):
                    LOG.error("following host %s is postponed: %s", host, error)
                pause_s, cut_s = cut_s, min(MAX_CUT_PAUSE_S, 2 * cut_s)

    def end(self) -> None:
        """Leave after the present round; the operations go on where they run."""
        self._ended.set()
        for bell in self._bells.values():
            bell.set()

    def _round_or_wait(self, host: str) -> bool:
        try:
            return self.round(host)
        except HostUnreachable as error:
            self._wait_for(host, error)
            raise

    def round(self, host: str) -> bool:
        """Look once after every operation of a host; tell whether any is live. Raises HostUnreachable."""
        with self._base.guard:
            active = sorted(self._active[host], reverse=True)  # a branch is sent before its parent's ledger is read
        is_live = False
        for operation_id in active:
            if self._ended.is_set():
                break
            is_live |= self._follow_safely(self._base.hosts[host], operation_id)
        return is_live

    def _follow_safely(self, link: HostLink, operation_id: str) -> bool:
        """Keep a fault in one operation's mirror from stopping all the others; it is tried again."""
        try:
            return self._follow(link, operation_id)
        except (HostUnreachable, DiskFull, DatabaseLocked):
            raise
        except TutelageError as error:
            self._mark(operation_id, error.message)
        except Exception as error:  # the edge of one operation: told with it, and in the log
            LOG.exception("following %s on host %s failed", operation_id, link.name)
            self._mark(operation_id, f"{type(error).__name__}: {error}"[:500])
        return False

    def _follow(self, link: HostLink, operation_id: str) -> bool:
        """Send, command and read one operation; tell whether it is live."""
        with self._base.store.reading() as reading:
            record, mirror = reading.operation(operation_id), mirrors.get(reading.connection, operation_id)
            waiting = queued(reading, record, mirror) if record and mirror else []
        if record is None or mirror is None or not (mirror.remote or self._send(link, record)):
            return self._leave(link.name, operation_id)
        for decision in waiting if mirror.remote else ():
            self._forward(link, record, str(mirror.remote), decision)
        num_pages = 0
        while num_pages < MAX_PAGES and self._read(link, operation_id):
            num_pages += 1
        return self._leave(link.name, operation_id)

    def _send(self, link: HostLink, record: OperationRecord) -> bool:
        """Have the host take the operation; a repeated request is the same one. Tell whether it was sent."""
        try:
            link.check_version()
            is_sent = mirror_requests.send(self._base, link, record)
        except (HostUnreachable, DiskFull, DatabaseLocked):
            raise
        except (TutelageError, OSError) as error:
            self._fail(record.id, error)
            return False
        parent = mirror_requests.parent_of(record)
        if is_sent and parent is not None:
            with self._base.guard:
                self._active[link.name].add(parent)  # its stream there has the command now, even where it had ended
        return is_sent

    def _forward(self, link: HostLink, record: OperationRecord, remote: str, decision: wire.Decision) -> None:
        """Give the host one command; under its key it is carried out once, however often it is sent."""
        request = wire.CommandRequest(verb=decision.verb, args=decision.args, reason=decision.reason)
        told: wire.Decision | None = None
        why = ""
        try:
            told = link.ask(lambda client: client.command(remote, request, idempotency_key=decision.id))
        except HostUnreachable:
            raise
        except TutelageError as error:
            why = f"host {link.name!r} refused it: {error.message}"
        with self._base.guard, self._base.store.writing() as tx:
            mirror = mirrors.get(tx.connection, record.id)
            if mirror is None:
                return
            if told is not None:
                mirrors.change(tx.connection, record.id, decisions={**mirror.decisions, decision.id: told.id})
            else:
                record_outcome(tx, record.id, decision.id, status="refused", at_s=self._base.clock(), detail=why)
        self._base.hub.ring()

    def _read(self, link: HostLink, operation_id: str) -> bool:
        """Read one page of events and store it; tell whether there may be more."""
        base = self._base
        with base.store.reading() as reading:
            record, mirror = reading.operation(operation_id), mirrors.get(reading.connection, operation_id)
        if record is None or mirror is None or mirror.remote is None:
            return False
        remote, since = mirror.remote, str(mirror.cursor)
        try:
            page = link.ask(lambda client: client.events(remote, since=since, limit=PAGE))
            if has_gap(mirror, page):
                page = link.ask(lambda client: client.events(remote, since="0", limit=PAGE))
        except NotFound as error:
            text = f"host {link.name!r} knows nothing of the operation any more: {error.message}"
            self._fail(operation_id, HostLost(text, hint="it was removed there; submit the spec again"))
            return False
        if not page.items and not self._is_settling(record):
            return False
        told = self._gather(link, record, remote, page)
        if page.items:
            self._settled_at[operation_id] = time.monotonic() + SETTLING_S
        store_told(base, operation_id, told)
        return page.truncated

    def _gather(self, link: HostLink, record: OperationRecord, remote: str, page: wire.EventPage) -> Told:
        """Ask what the events leave open; files come before the event that tells of the end is stored."""
        files = self._base.files.operation(record.id)
        decisions: Iterable[wire.Decision] = ()
        if any(event.kind in TELLING for event in page.items):
            decisions = link.ask(lambda client: client.decisions(remote))
        operation = link.ask(lambda client: client.operation(remote))
        is_rest = any(_is_rest(event) for event in page.items)
        if is_rest or time.monotonic() > self._log_due.get(record.id, 0.0):
            mirror_files.bring_log(self._base, link, record.id, remote)
            self._log_due[record.id] = time.monotonic() + LOG_EVERY_S
        if any(event.kind is EventKind.CHECKPOINT for event in page.items):
            mirror_files.bring_checkpoints(link, remote, files)
        if is_rest:
            is_completed = operation.state is State.COMPLETED
            mirror_files.bring_all(link, remote, files, result=operation.result if is_completed else None)
        return Told(page=page, operation=operation, decisions=list(decisions))

    def _is_settling(self, record: OperationRecord) -> bool:
        """Tell whether something may have changed without an event."""
        if record.waiting_for is not None or record.state in (State.PENDING, State.RESUMING):
            return True
        return time.monotonic() < self._settled_at.get(record.id, 0.0)

    def _leave(self, host: str, operation_id: str) -> bool:
        """Follow no more what is over; tell whether the operation is live."""
        with self._base.guard, self._base.store.reading() as reading:
            record, mirror = reading.operation(operation_id), mirrors.get(reading.connection, operation_id)
            if record is None or mirror is None or _is_over(reading, record, mirror):
                self._active[host].discard(operation_id)
                for times in (self._settled_at, self._log_due):
                    times.pop(operation_id, None)
                return False
        return record.state in LIVE or record.state is State.PENDING

    def _wait_for(self, host: str, error: HostUnreachable) -> None:
        with self._base.guard:
            active = sorted(self._active[host])
        for operation_id in active:
            self._mark(operation_id, error.message)

    def _mark(self, operation_id: str, why: str) -> None:
        """Show that an operation waits for its host; an approval that it waits for stays answerable."""
        waiting = {"kind": "host", "until_s": None, "detail": why}
        with self._base.guard:
            with self._base.store.reading() as reading:
                record = reading.operation(operation_id)
            if record is None or record.state in ENDED or record.waiting_for == waiting:
                return
            if (record.waiting_for or {}).get("kind") == "approval":
                return
            with self._base.store.writing("NORMAL") as tx:
                tx.change_operation(operation_id, waiting_for=waiting)
        self._base.hub.ring()

    def _fail(self, operation_id: str, error: TutelageError | OSError) -> None:
        """End an operation that its host will never run, with the host's own words."""
        told = {
            "code": error.code if isinstance(error, TutelageError) else TutelageError.code,
            "message": str(error),
            "hint": error.hint if isinstance(error, TutelageError) else "",
        }
        with self._base.guard, self._base.store.writing() as tx:
            record = tx.operation(operation_id)
            if record is not None and record.state not in ENDED:
                if record.state is State.PAUSED:
                    record = move(tx, record, State.RESUMING, at_s=self._base.clock(), why="its host lost it")
                move(tx, record, State.FAILED, at_s=self._base.clock(), why=str(error), error=told)
                _close_decisions(tx, operation_id, at_s=self._base.clock(), why=str(error))
        self._base.hub.ring()


def queued(reading: Reading, record: OperationRecord, mirror: MirrorRecord) -> list[wire.Decision]:
    """Return the commands that the host has not been given yet, oldest first."""
    if record.state in ENDED and mirror.remote is None:
        return []
    return [
        item
        for item in decisions_of(reading.ledger(record.id))
        if item.status == "accepted" and item.id not in mirror.decisions
    ]


def check_host(link: HostLink) -> None:
    """Raise VersionMismatch where the host answers and is of another version; one that does not answer may later."""
    try:
        link.check_version()
    except VersionMismatch:
        raise
    except TutelageError:
        return


def _close_decisions(tx: Transaction, operation_id: str, *, at_s: float, why: str) -> None:
    """Say of each command still open that nobody will carry it out any more."""
    for item in decisions_of(tx.ledger(operation_id)):
        if item.status == "accepted":
            record_outcome(tx, operation_id, item.id, status="refused", at_s=at_s, detail=why)


def _is_over(reading: Reading, record: OperationRecord, mirror: MirrorRecord) -> bool:
    return record.state in ENDED and not queued(reading, record, mirror)


def _is_rest(event: wire.Event) -> bool:
    """Tell whether an event brings an operation to its end or to a pause."""
    return event.kind is EventKind.STATE and "from" in event.data and event.data.get("state") in (*ENDED, State.PAUSED)
