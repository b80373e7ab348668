"""Exports to trackers: an exporter process an operation, a bounded wait at the run's end, retries with patience."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tutelage.control.base import Base, note
from tutelage.control.feed import write_feed
from tutelage.core.events import Draft, EventKind
from tutelage.core.operation import State
from tutelage.core.tracking import TrackingRequest, asked, experiment_of, read_object
from tutelage.store import OperationRecord

LOG = logging.getLogger(__name__)
HOLD_S = 60.0
"""How long the end of a run waits for its export to a tracker that answers; the export itself goes on."""
BUSY_S = 1.0
BUSY = 75
"""Exit code of an exporter that found another one at work on the same operation."""
MAX_RUNNING = 2
EXPORTED = (State.COMPLETED, State.FAILED)


@dataclass
class Tracker:
    """One address: the operations that wait for it, and how it answered of late."""

    waiting: dict[str, None] = field(default_factory=dict)
    num_failed: int = 0
    next_s: float = 0.0


@dataclass
class Hold:
    """The end of a run that waits for its export; `wanted` is the command that was in force when it began."""

    since_s: float
    wanted: str | None
    next_start_s: float = 0.0


class Exports:
    """Owns the exporters of a home; called under the guard, by the supervision alone."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._trackers: dict[str, Tracker] = {}
        self._running: dict[str, tuple[str, subprocess.Popen[bytes]]] = {}
        self._holds: dict[str, Hold] = {}
        self._told: dict[str, dict[str, Any]] = {}

    @property
    def is_outstanding(self) -> bool:
        """Whether an export runs, or is due before the tracker is given up."""
        return bool(self._running) or any(
            item.waiting and not self._is_given_up(item) for item in self._trackers.values()
        )

    def adopt(self) -> None:
        """Find what an earlier supervisor could not export, and what its exporters did after it was gone."""
        with self._base.store.reading() as reading:
            ended = reading.operations(list(EXPORTED))
        for record in reversed(ended):
            request = self._request(record)
            if request is None:
                continue
            block = experiment_of(self._base.files.operation(record.id))
            if block["status"] != "logged":
                self._tracker(request).waiting[record.id] = None
            elif (record.result or {}).get("experiment") != block:
                with self._harmless(record.id):
                    self._tell(record.id, block)

    def is_holding(self, operation: str) -> bool:
        """Tell whether the end of this run waits for its export."""
        return operation in self._holds

    def hold(self, record: OperationRecord, *, state: State, error: dict[str, Any] | None) -> bool:
        """Begin to wait at the end of a run; False where it asks for no export, or does not end for good."""
        request = self._request(record)
        if request is None or state not in EXPORTED:
            return False
        tracker = self._tracker(request)
        tracker.waiting[record.id], tracker.num_failed = None, 0
        self._holds[record.id] = Hold(since_s=time.monotonic(), wanted=record.wanted)
        with self._harmless(record.id):
            self._enter_phase(record)
            write_feed(self._base, record, state=state, error=error)
            return self.goes_on(record)
        return False

    def goes_on(self, record: OperationRecord) -> bool:
        """Tell whether the wait goes on: while the first try does, at most `HOLD_S`, and until somebody commands."""
        with self._harmless(record.id):
            if not self._is_over(record, self._holds[record.id]):
                return True
            del self._holds[record.id]
        return False

    def round(self) -> None:
        """Look at the exporters that ended; start those that are due."""
        for operation, (uri, process) in list(self._running.items()):
            if process.poll() is not None:
                with self._harmless(operation):
                    self._ended(operation, uri, process.returncode)
        for uri, tracker in self._trackers.items():
            waiting = next((item for item in tracker.waiting if item not in self._holds), None)
            is_due = waiting and not self._is_given_up(tracker) and time.monotonic() >= tracker.next_s
            is_busy = len(self._running) >= MAX_RUNNING or any(uri == used for used, _ in self._running.values())
            if waiting and is_due and not is_busy:
                with self._harmless(waiting):
                    self._retry(waiting, tracker)

    @contextmanager
    def _harmless(self, operation: str) -> Iterator[None]:
        """Keep whatever goes wrong in an export from the run it is about; the next supervisor tries it again."""
        try:
            yield
        except Exception:
            LOG.exception("the export of %s is put off", operation)
            self._holds.pop(operation, None)
            self._running.pop(operation, None)
            for tracker in self._trackers.values():
                tracker.waiting.pop(operation, None)

    def _request(self, record: OperationRecord) -> TrackingRequest | None:
        """Return what the newest attempt asks for; one that died before it could ask is not exported."""
        request = asked(self._base.files.operation(record.id))
        return request if request and request.attempt == record.attempt else None

    def _tracker(self, request: TrackingRequest) -> Tracker:
        return self._trackers.setdefault(request.uri, Tracker())

    def _is_over(self, record: OperationRecord, hold: Hold) -> bool:
        now = time.monotonic()
        if now - hold.since_s > HOLD_S or record.wanted != hold.wanted:
            return True
        if record.id in self._running:
            uri, process = self._running[record.id]
            if process.poll() is None:
                return False
            self._ended(record.id, uri, process.returncode)
            if process.returncode != BUSY:
                return True
            hold.next_start_s = now + BUSY_S
        elif now >= hold.next_start_s:
            return not self._start(record.id)
        return False

    def _enter_phase(self, record: OperationRecord) -> None:
        with self._base.store.writing() as tx:
            told = Draft(kind=EventKind.PHASE, at_s=self._base.clock(), data={"phase": "log"}, attempt=record.attempt)
            tx.add_events(record.id, [told])
            tx.change_operation(record.id, phase="log")
        self._base.hub.ring()

    def _retry(self, operation: str, tracker: Tracker) -> None:
        with self._base.store.reading() as reading:
            record = reading.operation(operation)
        if record is None or record.state not in EXPORTED or self._request(record) is None:
            tracker.waiting.pop(operation)  # removed, or resumed: its next end asks again
            return
        files = self._base.files.operation(operation)
        if read_object(files.tracking_feed).get("attempt") != record.attempt:
            write_feed(self._base, record, state=record.state, error=dict(record.error) if record.error else None)
        if not self._start(operation):
            self._failed(tracker)

    def _start(self, operation: str) -> bool:
        request = asked(self._base.files.operation(operation))
        if request is None:
            return False
        try:
            process = self._base.executor.export(operation)
        except OSError as error:
            LOG.warning("no exporter could be started for %s: %s", operation, error)
            return False
        self._running[operation] = (request.uri, process)
        return True

    def _ended(self, operation: str, uri: str, code: int) -> None:
        """Note how an exporter ended, and when the next one is due."""
        del self._running[operation]
        tracker = self._trackers[uri]
        if code == BUSY:
            tracker.next_s = time.monotonic() + BUSY_S
            return
        block = experiment_of(self._base.files.operation(operation))
        if block["status"] in ("logged", "disabled"):  # disabled: the operation was removed meanwhile
            tracker.waiting.pop(operation, None)
            tracker.num_failed, tracker.next_s = 0, 0.0
        else:
            self._failed(tracker)
        self._tell(operation, block)

    def _failed(self, tracker: Tracker) -> None:
        tracker.num_failed += 1
        if not self._is_given_up(tracker):
            tracker.next_s = time.monotonic() + self._base.settings.tracker_retry_s[tracker.num_failed - 1]

    def _is_given_up(self, tracker: Tracker) -> bool:
        """Tell whether a tracker is left to the next supervisor: it failed after each pause."""
        return tracker.num_failed > len(self._base.settings.tracker_retry_s)

    def _tell(self, operation: str, block: dict[str, Any]) -> None:
        """Show how an export stands with its operation, and write it into the stream when that is news."""
        if self._told.get(operation) == block:
            return
        with self._base.store.writing() as tx:
            record = tx.operation(operation)
            if record is None or block["status"] == "disabled":
                return
            level, text = _sentence(block)
            note(tx, record, text, at_s=self._base.clock(), level=level)
            if record.result is not None:
                tx.change_operation(operation, result=with_experiment(record.result, block))
        self._told[operation] = block
        self._base.hub.ring()


def with_experiment(result: Mapping[str, Any], block: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result document with how its export stands now; as it is where no export is asked for."""
    return dict(result) if block["status"] == "disabled" else {**result, "experiment": dict(block)}


def _sentence(block: dict[str, Any]) -> tuple[str, str]:
    where = block["trackingUri"]
    if block["status"] == "logged":
        more = f"; {block['detail']}" if block.get("detail") else ""
        return "info", f"tracking: logged to {where} as run {block['runId']}{more}"
    why = block.get("detail") or "the exporter ended before it was done"
    return "warning", f"tracking: not logged to {where}: {why}; it is tried again"
