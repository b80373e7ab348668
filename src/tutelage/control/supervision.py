"""The supervisor's round: ingest, watch, limit, settle, start, judge. One thread, every 50 ms while anything lives."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import threading
import time
from dataclasses import dataclass, field

from tutelage.control import policies
from tutelage.control.base import Base, move
from tutelage.control.commands import SUPERVISOR, Commands
from tutelage.control.exports import Exports
from tutelage.control.files import read_json, replace_commands
from tutelage.control.ingest import ingest
from tutelage.control.judges import Judges
from tutelage.control.judging import judge
from tutelage.control.ledger import open_commands
from tutelage.control.queue import Candidate, admit
from tutelage.control.recovery import ending_of, settle
from tutelage.core.commands import Verb
from tutelage.core.errors import DatabaseLocked, DiskFull, IllegalCommand, MemoryLimit, TutelageError, WallTime
from tutelage.core.hosts import host_of
from tutelage.core.operation import LIVE, QUEUED, State
from tutelage.core.spec import Resources
from tutelage.core.wire import CommandRequest
from tutelage.executors import ProcessId
from tutelage.executors.local import LOCK_HELD
from tutelage.store import AttemptRecord, OperationRecord, Transaction

LOG = logging.getLogger(__name__)
KILL_AFTER_TERM_S = 1.0
MEMORY_LOOK_S = 0.25
JUDGE_EVERY_S = 0.2
JUDGE_SILENT_EVERY_S = 5.0
"""A live worker that says nothing is looked at so often all the same: silence is judged too."""
PID_FILE_S = 5.0
QUIET_TICK_S = 0.25
MAX_FAULTS = 3
STOP_GRACE_S = 30.0
"""How long a run that reached its wall time may take to finish well."""


@dataclass
class Worker:
    """One live worker as the supervisor watches it."""

    operation: str
    attempt: int
    resources: Resources
    owner: str
    process: ProcessId | None
    offset: int
    spent_s: float = 0.0
    watched_since: float = field(default_factory=time.monotonic)
    next_memory_look: float = 0.0
    next_judge: float = 0.0
    is_unjudged: bool = False
    doom: TutelageError | None = None
    exit_code: int | None = None
    num_faults: int = 0
    signalled: dict[str, float] = field(default_factory=dict)


class Supervision:
    """Owns the live workers of a home."""

    def __init__(self, base: Base, commands: Commands) -> None:
        self._base = base
        self._commands = commands
        self._judges = Judges()
        self._workers: dict[str, Worker] = {}
        self._wake = threading.Event()
        self._ended = threading.Event()
        self.exports = Exports(base)
        self.trouble = ""

    def adopt(self) -> None:
        """Take over what an earlier supervisor left: live workers are watched on, dead ones settled in a round."""
        base = self._base
        with base.guard, base.store.reading() as reading:
            for record in _here(reading.operations(list(LIVE))):
                attempts = reading.attempts(record.id)
                self._workers[record.id] = self._watch(record, attempts)
                self._commands.deliver_again(record.id)
        with base.guard:
            self.exports.adopt()

    def run(self) -> None:
        """Go round until `end` is called."""
        while not self._ended.is_set():
            self.round()
            self._wake.wait(self._base.settings.tick_s if self._workers else QUIET_TICK_S)
            self._wake.clear()

    def wake(self) -> None:
        """Have the next round begin at once."""
        self._wake.set()

    def end(self) -> None:
        """Leave after the present round; workers live on."""
        self._ended.set()
        self._wake.set()

    @property
    def num_live(self) -> int:
        """How many workers are watched."""
        return len(self._workers)

    def round(self) -> None:
        """Do one round; a full disk or a locked database postpones it, and is reported by `health`."""
        base = self._base
        try:
            with base.guard:
                self._commands.deliver()
                for worker in list(self._workers.values()):
                    self._look_after_safely(worker)
                self._expire_approvals()
                self._start_next()
                self.exports.round()
            self.trouble = ""
        except (DiskFull, DatabaseLocked) as error:
            self._report(error.message)
        except OSError as error:
            self._report(str(error))

    def _report(self, text: str) -> None:
        if text != self.trouble:
            LOG.error("the round is postponed: %s", text)
        self.trouble = text
        self._ended.wait(0.5)

    def _look_after_safely(self, worker: Worker) -> None:
        """Keep a fault in one operation's course from stopping all the others; at the third it is given up."""
        try:
            self._look_after(worker)
            worker.num_faults = 0
        except (DiskFull, DatabaseLocked, OSError):
            raise
        except Exception as error:  # the edge of one operation: recorded in the log, and with the operation
            LOG.exception("looking after %s failed", worker.operation)
            worker.num_faults += 1
            if worker.num_faults >= MAX_FAULTS:
                self._give_up(worker, error)

    def _give_up(self, worker: Worker, error: Exception) -> None:
        self._signal(worker, kill=True)
        del self._workers[worker.operation]
        told = {
            "code": TutelageError.code,
            "message": f"the supervisor could not go on with it: {type(error).__name__}: {error}"[:1000],
            "hint": "supervisor.log has the traceback; please report it",
        }
        with self._base.store.writing() as tx:
            record = tx.operation(worker.operation)
            if record is not None:
                move(tx, record, State.FAILED, at_s=self._base.clock(), why=told["message"], error=told)
        self._base.hub.ring()

    def _look_after(self, worker: Worker) -> None:
        alive = self._is_alive(worker)
        while self._ingest(worker):
            pass
        if alive:
            self._limit(worker)
            self._press(worker)
            self._judge(worker)
        else:
            self._settle(worker)

    def _ingest(self, worker: Worker) -> bool:
        base = self._base
        path = base.files.operation(worker.operation).event_file(worker.attempt)
        offset = ingest(base.store, path, operation=worker.operation, attempt=worker.attempt, offset=worker.offset)
        if offset == worker.offset:
            return False
        worker.offset, worker.is_unjudged = offset, True
        base.hub.ring()
        return True

    def _is_alive(self, worker: Worker) -> bool:
        executor = self._base.executor
        if worker.process is None:
            worker.process = self._process_of(worker)
            if worker.process is None:
                young = time.monotonic() - worker.watched_since < PID_FILE_S
                return young or self._fence_is_held(worker.operation)
        if executor.is_alive(worker.process):
            return True
        worker.exit_code = executor.exit_code(worker.process) if worker.exit_code is None else worker.exit_code
        if worker.exit_code == LOCK_HELD:
            holder = self._process_of(worker)
            if holder is not None and holder.is_alive():
                worker.process, worker.exit_code = holder, None
                return True
        return False

    def _process_of(self, worker: Worker) -> ProcessId | None:
        """Return who the worker says it is, from the file that it writes before any work."""
        document = read_json(self._base.files.operation(worker.operation).pid)
        return ProcessId.from_document(document) if isinstance(document, dict) else None

    def _fence_is_held(self, operation: str) -> bool:
        try:
            with self._base.files.operation(operation).lock.open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def _limit(self, worker: Worker) -> None:
        """Hold the worker to its memory and wall time."""
        now = time.monotonic()
        if worker.process is None or worker.doom is not None or now < worker.next_memory_look:
            return
        worker.next_memory_look = now + MEMORY_LOOK_S
        limit_gib = worker.resources.memory_gib
        if worker.process.rss_mib() > limit_gib * 1024:
            worker.doom = MemoryLimit(
                f"the run used more than its {limit_gib:g} GiB of memory",
                hint="raise resources.memory_gib, or use fewer rows or a lighter model",
            )
            self._signal(worker, kill=True)
        self._limit_wall_time(worker)

    def _limit_wall_time(self, worker: Worker) -> None:
        limit_s = worker.resources.max_wall_s
        spent_s = worker.spent_s + time.monotonic() - worker.watched_since
        if limit_s is None or spent_s < limit_s:
            return
        if "wall" not in worker.signalled:
            worker.signalled["wall"] = time.monotonic()
            self._order(worker.operation, Verb.STOP, f"max_wall_s of {limit_s:g} s is reached")
        elif time.monotonic() - worker.signalled["wall"] > max(STOP_GRACE_S, self._base.settings.grace_s):
            worker.doom = WallTime(
                f"the run did not end within {STOP_GRACE_S:g} s after its wall time of {limit_s:g} s",
                hint="raise resources.max_wall_s; the last checkpoint is kept",
            )
            self._signal(worker, kill=True)

    def _press(self, worker: Worker) -> None:
        """Terminate, then kill, a worker that does not follow a cancel within the grace."""
        with self._base.store.reading() as reading:
            record = reading.operation(worker.operation)
        if record is None or record.wanted != Verb.CANCEL:
            return
        waited_s = time.monotonic() - worker.signalled.setdefault("cancel", time.monotonic())
        grace_s = self._base.settings.grace_s
        if waited_s > grace_s and "term" not in worker.signalled:
            worker.signalled["term"] = time.monotonic()
            self._signal(worker, kill=False)
        if waited_s > grace_s + KILL_AFTER_TERM_S:
            self._signal(worker, kill=True)

    def _signal(self, worker: Worker, *, kill: bool) -> None:
        if worker.process is not None:
            self._base.executor.terminate(worker.process, kill=kill)

    def _judge(self, worker: Worker) -> None:
        now = time.monotonic()
        if now < worker.next_judge + (0.0 if worker.is_unjudged else JUDGE_SILENT_EVERY_S):
            return
        worker.is_unjudged, worker.next_judge = False, now + JUDGE_EVERY_S
        with self._base.store.writing("NORMAL") as tx:
            changed = self._judge_in(tx, worker.operation)
        if changed:
            self._base.hub.ring()
            self._follow_policies(worker.operation)

    def _follow_policies(self, operation: str) -> None:
        """Act on the rules that are due; one that is not legal any more has been overtaken by events."""
        with self._base.store.reading() as reading:
            record = reading.operation(operation)
        for rule in policies.due(record) if record else ():
            with contextlib.suppress(IllegalCommand):
                self._commands.command(
                    operation, rule.request, principal=policies.POLICY, idempotency_key=rule.idempotency_key
                )
            with self._base.store.writing() as tx:
                record = tx.operation(operation)
                assert record is not None, "an operation that is watched exists"
                asked = {"waiting_for": self._question(rule)} if rule.action.do == "ask" else {}
                tx.change_operation(operation, judgement=policies.acted(record, rule.key), **asked)
            return  # the next look sees what became of it

    def _question(self, rule: policies.Due) -> dict[str, object]:
        until_s = self._base.clock() + rule.action.deadline_s
        return {"kind": "approval", "until_s": until_s, "by": policies.POLICY.name, "detail": rule.request.reason}

    def _judge_in(self, tx: Transaction, operation: str) -> bool:
        record = tx.operation(operation)
        service = self._base.service_of(record) if record else None
        return bool(record and service and judge(tx, record, service, at_s=self._base.clock(), judges=self._judges))

    def _settle(self, worker: Worker) -> None:
        base = self._base
        if worker.process is not None and not self.exports.is_holding(worker.operation):
            base.executor.terminate(worker.process, kill=True)  # whatever the worker left behind in its group
        if self._holds_for_export(worker):
            return
        with base.store.writing() as tx:
            record = tx.operation(worker.operation)
            if record is not None:
                settle(base, tx, record, exit_code=worker.exit_code, doom=worker.doom)
                self._judge_in(tx, worker.operation)
        del self._workers[worker.operation]
        self._judges.forget(worker.operation)
        base.hub.ring()

    def _holds_for_export(self, worker: Worker) -> bool:
        """Tell whether the run's end waits a little for its export, so that its result can say how that went."""
        with self._base.store.reading() as reading:
            record = reading.operation(worker.operation)
            if record is None:
                return False
            if self.exports.is_holding(record.id):
                return self.exports.goes_on(record)
            if not self._base.files.operation(record.id).tracking_request.exists():
                return False
            ending = ending_of(self._base, reading, record, exit_code=worker.exit_code, doom=worker.doom)
        return self.exports.hold(record, state=ending.state, error=ending.error)

    def _expire_approvals(self) -> None:
        """Take no answer in time as a no."""
        base = self._base
        with base.store.reading() as reading:
            paused = _here(reading.operations([State.PAUSED]))
        for record in paused:
            until_s = (record.waiting_for or {}).get("until_s")
            if until_s is not None and base.clock() > until_s:
                self._order(record.id, Verb.REJECT, "no answer within the time counts as no")

    def _order(self, operation: str, verb: Verb, reason: str) -> None:
        """Act as the supervisor itself; a command that is not legal any more has been overtaken by events."""
        request = CommandRequest(verb=verb, reason=reason)
        with contextlib.suppress(IllegalCommand):
            self._commands.command(operation, request, principal=SUPERVISOR)

    def _start_next(self) -> None:
        base = self._base
        with base.store.reading() as reading:
            queued = {record.id: record for record in _here(reading.operations(list(QUEUED)))}
        if not queued:
            return
        waiting = [_candidate(record) for record in queued.values()]
        running = [
            Candidate(id=worker.operation, owner=worker.owner, resources=worker.resources)
            for worker in self._workers.values()
        ]
        for operation_id in admit(waiting, running, base.machine):
            self._start(queued.pop(operation_id))
        self._mark_waiting(list(queued.values()))

    def _mark_waiting(self, left: list[OperationRecord]) -> None:
        unmarked = [record for record in left if record.waiting_for is None]
        if not unmarked:
            return
        with self._base.store.writing("NORMAL") as tx:
            for record in unmarked:
                tx.change_operation(record.id, waiting_for={"kind": "slot", "detail": "no slot is free"})
        self._base.hub.ring()

    def _start(self, record: OperationRecord) -> None:
        """Start the next attempt: the row first, then the process, so that no process is ever unknown."""
        base = self._base
        files = base.files.operation(record.id)
        attempt, at_s = record.attempt + 1, base.clock()
        begun = AttemptRecord(
            operation=record.id,
            attempt=attempt,
            from_step=record.checkpoint_step,
            process=None,
            started_at_s=at_s,
            ended_at_s=None,
            offset=0,
            num_bad_lines=0,
        )
        with base.store.writing() as tx:
            heard = open_commands(tx.ledger(record.id), checkpoint_step=record.checkpoint_step, wanted=record.wanted)
            files.pid.unlink(missing_ok=True)
            replace_commands(files.commands, heard)
            tx.add_attempt(begun)
            moved = move(
                tx, record, State.RUNNING, at_s=at_s, why=f"attempt {attempt}", attempt=attempt, waiting_for=None
            )
            if record.wanted == Verb.STOP:
                moved = move(tx, moved, State.STOPPING, at_s=at_s, why="asked for before it started")
            attempts = tx.attempts(record.id)
        worker = self._workers[record.id] = self._watch(moved, attempts)
        worker.process = base.executor.start(record.id, attempt, resources=worker.resources)
        with base.store.writing() as tx:
            tx.change_attempt(record.id, attempt, process=worker.process.document())
        base.hub.ring()

    def _watch(self, record: OperationRecord, attempts: list[AttemptRecord]) -> Worker:
        newest = attempts[-1]
        process = newest.process
        return Worker(
            operation=record.id,
            attempt=newest.attempt,
            resources=Resources.model_validate(record.spec.get("resources", {})),
            owner=record.owner_name,
            process=ProcessId.from_document(dict(process)) if process else None,
            offset=newest.offset,
            spent_s=sum((item.ended_at_s or item.started_at_s) - item.started_at_s for item in attempts[:-1])
            + max(0.0, self._base.clock() - newest.started_at_s),
            is_unjudged=True,
        )


def _here(records: list[OperationRecord]) -> list[OperationRecord]:
    """Leave out what runs on a host: its slots, limits and worker are the host's business."""
    return [record for record in records if host_of(record.executor) is None]


def _candidate(record: OperationRecord) -> Candidate:
    resources = Resources.model_validate(record.spec.get("resources", {}))
    return Candidate(id=record.id, owner=record.owner_name, resources=resources)
