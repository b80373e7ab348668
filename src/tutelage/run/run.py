"""The Run that a worker hands to a service: it writes nothing but files in its operation's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.core.clock import iso, now_s
from tutelage.core.commands import ENDING, Command, Verb
from tutelage.core.errors import InvalidSpec
from tutelage.core.events import Draft, EventKind
from tutelage.core.layout import OperationFiles
from tutelage.core.ports import Save
from tutelage.core.service import Direction, Role, Service
from tutelage.run.checkpoints import CheckpointFolder, StoredCheckpoint
from tutelage.run.inbox import Inbox
from tutelage.run.journal import Journal

MAX_LOG_LINE = 4_000


class ScopedReporter:
    """Tells what happens in one scope of an operation."""

    def __init__(self, journal: Journal, log_path: Path, scope: str = "") -> None:
        self._journal = journal
        self._log_path = log_path
        self._scope = scope

    def metric(self, step: int, values: Mapping[str, float] | None = None, /, **named: float) -> None:
        """Report named numbers at a step of this scope; non-finite ones are kept and judged."""
        numbers = {name: float(value) for name, value in {**(values or {}), **named}.items()}
        self._emit(EventKind.METRIC, {"values": numbers}, step=int(step))

    def scope(self, name: str) -> ScopedReporter:
        """Return a reporter for a scope inside this one, such as `fold=3`."""
        inner = f"{self._scope}/{name}" if self._scope else name
        return ScopedReporter(self._journal, self._log_path, inner)

    def log(self, text: str, *, level: str = "info") -> None:
        """Write one line to the log and to the stream of events."""
        line = " ".join(text.split("\n"))[:MAX_LOG_LINE]
        self._emit(EventKind.LOG, {"level": level, "text": line})
        try:
            with self._log_path.open("a", encoding="utf-8") as file:
                file.write(f"{iso(now_s())} {level} {line}\n")
        except OSError:
            pass  # the event carries the line; a full disk must not end the training

    def progress(self, done: float, total: float | None, *, message: str = "", unit: str = "") -> None:
        """Say how far the operation is, in its unit or in the one named."""
        named = {"unit": unit} if unit else {}
        self._emit(EventKind.PROGRESS, {"done": done, "total": total, "message": message, **named})

    def phase(self, name: str) -> None:
        """Say what the operation does now."""
        self._emit(EventKind.PHASE, {"phase": name})

    def sample(self, data: Mapping[str, Any], *, step: int | None = None) -> None:
        """Show something the model made."""
        self._emit(EventKind.SAMPLE, dict(data), step=step)

    def _emit(self, kind: EventKind, data: Mapping[str, Any], *, step: int | None = None) -> None:
        self._journal.append(Draft(kind=kind, at_s=now_s(), data=data, scope=self._scope, step=step))


class FileRun(ScopedReporter):
    """Everything a service's `train` is given, kept in files that the supervisor tails.

    `ending` is the pause, stop or cancel that was given out last; `asked` tells whether an approval was asked for;
    `seed`, `device`, `cpus` and `memory_gib` are what the spec declares.
    """

    def __init__(
        self,
        *,
        files: OperationFiles,
        service: Service,
        attempt: int,
        seed: int = 42,
        device: str = "cpu",
        cpus: int = 1,
        memory_gib: float = 4.0,
    ) -> None:
        files.artifacts.mkdir(parents=True, exist_ok=True)
        super().__init__(Journal(files.event_file(attempt)), files.log)
        self.id = files.root.name
        self.dir = files.root
        self.attempt, self.seed, self.device = attempt, seed, device
        self.cpus, self.memory_gib = cpus, memory_gib
        self.ending: Command | None = None
        self.asked = False
        self._files = files
        self._inbox = Inbox(files.commands)
        self._folder = CheckpointFolder(files.checkpoints, warn=lambda text: self.log(text, level="warning"))
        self._directions: dict[str, Direction | None] = {item.name: item.direction for item in service.metrics}
        self._objective = service.objective
        self._resumed: StoredCheckpoint | None = None

    def begin(self) -> int | None:
        """Write the attempt's first event, before any heavy import; return the step it goes on from."""
        self._resumed = self._folder.newest_valid()
        from_step = self._resumed.step if self._resumed else None
        self._emit(EventKind.ATTEMPT_STARTED, {"attempt": self.attempt, "from_step": from_step})
        self.flush()
        return from_step

    def flush(self) -> None:
        """Bring every event so far into the file."""
        self._journal.flush()

    def define(
        self,
        metric: str,
        *,
        direction: Direction | None = None,
        unit: str | None = None,
        pairs: str | None = None,
        objective: bool = False,
        baseline: float | None = None,
        baseline_name: str = "",
        role: Role | None = None,
        settled_after: int | None = None,
        error: str | None = None,
    ) -> None:
        """Declare a metric of this operation, or complete the service's declaration of it."""
        given = {"direction": direction, "unit": unit, "pairs": pairs, "baseline": baseline}
        given |= {"role": role, "settled_after": settled_after, "error": error}
        entry: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if baseline_name:
            entry["baseline_name"] = baseline_name
        if direction:
            self._directions[metric] = direction
        if objective:
            if self._directions.get(metric) is None:
                raise InvalidSpec(f"the objective {metric!r} has no direction", hint="give direction=minimize|maximize")
            entry["objective"] = True
            self._objective = metric
        self._emit(EventKind.METRIC, {"define": {metric: entry}})

    def judge(self, *scopes: str, until: int | None = None) -> None:
        """Name the scopes whose curves carry the operation's verdict from now on; `until` is their last step."""
        self._emit(EventKind.METRIC, {"judge": list(scopes), **({} if until is None else {"until": until})})

    def checkpoint(self, step: int, save: Save, metrics: Mapping[str, float] | None = None) -> Path | None:
        """Write a checkpoint after the events that led to it; None (and an error in the log) on a full disk."""
        self._journal.flush(durable=True)
        try:
            stored = self._folder.write(step, save, attempt=self.attempt, metrics=metrics or {})
        except OSError as error:
            self.log(f"checkpoint at {step} could not be written: {error}; training goes on", level="error")
            return None
        direction = self._directions.get(self._objective or "")
        self._folder.rotate(objective=self._objective, direction=direction)
        data = {"bytes": stored.num_bytes, "metrics": dict(stored.metrics), "path": f"checkpoints/{step}"}
        self._emit(EventKind.CHECKPOINT, data, step=step)
        return stored.path

    def resume(self) -> Path | None:
        """Return the folder of the checkpoint this attempt goes on from, or None for a fresh start."""
        return self._resumed.path if self._resumed else None

    def next_command(self) -> Command | None:
        """Return the next command, once; to be called at each step boundary."""
        command = self._inbox.next()
        if command and command.verb in ENDING:
            self.ending = command
        return command

    def applied(self, command: Command, *, step: int | None = None, detail: str = "") -> None:
        """Say that a command took effect at a step."""
        self._answer(command, status="applied", step=step, detail=detail)

    def refused(self, command: Command, *, reason: str) -> None:
        """Say that a command cannot be followed, and why."""
        self._answer(command, status="refused", step=None, detail=reason)

    def ask(self, question: str, *, timeout_s: float) -> None:
        """Ask for an approval: after the service has left with None the operation waits, paused.

        No answer until then counts as no.
        """
        waiting = {"kind": "approval", "until_s": now_s() + timeout_s, "detail": question}
        self.asked = True
        self._emit(EventKind.STATE, {"waiting_for": waiting})

    def artifact(self, name: str) -> Path:
        """Return the path under which to write the artifact `name`, its folder made."""
        path = (self._files.artifacts / name).resolve()
        if not path.is_relative_to(self._files.artifacts.resolve()):
            raise InvalidSpec(f"artifact name {name!r} leaves the artifacts folder", hint="use a relative name")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def error(self, data: Mapping[str, Any]) -> None:
        """Record why the training failed."""
        self._emit(EventKind.ERROR, dict(data))

    def tell_artifacts(self) -> None:
        """List what the operation has produced, each file with its size."""
        root = self._files.artifacts
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            data = {"name": path.relative_to(root).as_posix(), "bytes": path.stat().st_size}
            self._emit(EventKind.ARTIFACT, data)

    def ended(self, state: str) -> None:
        """Record the deliberate end of this attempt: completed, paused or cancelled."""
        kind = EventKind.RESULT if state == "completed" else EventKind.STATE
        self._emit(kind, {"state": state, "verb": str(self.ending.verb) if self.ending else None})

    def close(self) -> None:
        """Flush and close the event file."""
        self._journal.close()

    def _answer(self, command: Command, *, status: str, step: int | None, detail: str) -> None:
        data: dict[str, Any] = {"id": command.id, "verb": str(command.verb), "status": status, "detail": detail}
        if command.verb is Verb.TUNE:
            data["args"] = dict(command.args)
        self._emit(EventKind.APPLIED, data, step=step)
        self.flush()
