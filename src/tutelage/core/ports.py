"""The small protocols that the parts meet at: what a run offers a service, what Platform offers an interface."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from tutelage.core import wire
from tutelage.core.access import NewToken, Token, TokenRequest
from tutelage.core.commands import Command
from tutelage.core.inputs import Input
from tutelage.core.service import Direction, Role

Save = Callable[[Path], None]
"""Writes a checkpoint's files into an empty folder."""


class Reporter(Protocol):
    """Tells what happens; no call blocks on a reader or fails the training."""

    def metric(self, step: int, values: Mapping[str, float] | None = None, /, **named: float) -> None:
        """Report named numbers at a step of this scope."""

    def scope(self, name: str) -> Reporter:
        """Return a reporter for a scope inside this one, such as `fold=3`."""

    def log(self, text: str, *, level: str = "info") -> None:
        """Write one line to the log."""

    def progress(self, done: float, total: float | None, *, message: str = "", unit: str = "") -> None:
        """Say how far the operation is, in its unit, or in another where that is what its budget counts."""

    def phase(self, name: str) -> None:
        """Say what the operation does now."""

    def sample(self, data: Mapping[str, Any], *, step: int | None = None) -> None:
        """Show something the model made: a text, a row, a picture's path."""


class Declares(Protocol):
    """Says what the judge may know about this very operation."""

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
        """Declare a metric, or complete the service's declaration of it.

        `role` says what a side signal is; `settled_after` is the last step at which the learning rate is planned to
        change, given with the objective: before it no plateau is told. `error` names the metric that holds, at the same
        steps, the standard error of a value: comparisons tell a difference from chance by it.
        """

    def judge(self, *scopes: str, until: int | None = None) -> None:
        """Name the scopes whose curves carry the operation's verdict from now on; `until` is their last step."""


class Checkpoints(Protocol):
    """Keeps resumable state."""

    def checkpoint(self, step: int, save: Save, metrics: Mapping[str, float] | None = None) -> Path:
        """Write a checkpoint; it exists whole or not at all."""

    def resume(self) -> Path | None:
        """Return the newest valid checkpoint's folder, or None for a fresh start."""


class Control(Protocol):
    """Hears what is asked."""

    def next_command(self) -> Command | None:
        """Return the next command, once; to be called at each step boundary."""

    def applied(self, command: Command, *, step: int | None = None, detail: str = "") -> None:
        """Say that a command took effect at a step."""

    def refused(self, command: Command, *, reason: str) -> None:
        """Say that a command cannot be followed, and why."""

    def ask(self, question: str, *, timeout_s: float) -> None:
        """Ask for an approval: once the service has left with None, the operation waits for it, paused."""


class Run(Reporter, Declares, Checkpoints, Control, Protocol):
    """Everything a service's `train` is given."""

    id: str
    seed: int
    device: str
    dir: Path
    attempt: int
    cpus: int
    memory_gib: float

    def artifact(self, name: str) -> Path:
        """Return the path under which to write an artifact; it is listed once the file exists."""


Emit = Callable[[Mapping[str, Any]], None]
"""Sends one answer, or one part of a streamed answer, of a `use`."""

Requests = Iterator[Mapping[str, Any]]
"""The requests of a `use`, one after the other."""


class Executor(Protocol):
    """Starts and watches worker processes somewhere."""

    def start(self, operation: str, attempt: int, *, resources: Any) -> Any:
        """Start a worker and return what finds it again after a restart."""

    def is_alive(self, process: Any) -> bool:
        """Tell whether the very process still runs."""

    def terminate(self, process: Any, *, kill: bool) -> None:
        """Ask the whole process group to end, or kill it."""


class Catalogue(Protocol):
    """What can be trained, and on what."""

    def services(self) -> wire.ServiceList:
        """List the services."""

    def service(self, name: str) -> wire.ServiceInfo:
        """Describe one service with its JSON schema, defaults and presets."""

    def dry_run(self, document: Mapping[str, Any]) -> wire.DryRun:
        """Validate a document as `submit` would, and start nothing."""

    def inspect(self, request: wire.InspectRequest) -> wire.Inspection:
        """Look at data in a short-lived worker."""

    def hosts(self) -> list[wire.HostInfo]:
        """List the machines and their slots."""

    def health(self) -> wire.Health:
        """Say how the supervisor stands."""


class Operations(Protocol):
    """Operations from their beginning to their removal."""

    def submit(
        self, document: Mapping[str, Any], *, principal: wire.Principal, idempotency_key: str | None = None
    ) -> wire.Operation:
        """Validate a document and queue the operation it asks for; a repeated key answers the first operation."""

    def operations(
        self,
        *,
        state: str | None = None,
        service: str | None = None,
        tag: str | None = None,
        text: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        spark: int = 0,
    ) -> wire.OperationPage:
        """List operations, those that need somebody first, then newest first."""

    def operation(self, operation_id: str, *, spark: int = 0) -> wire.Operation:
        """Return one operation."""

    def update(self, operation_id: str, patch: wire.OperationPatch) -> wire.Operation:
        """Change name, notes or tags."""

    def delete(self, operation_id: str) -> None:
        """Remove an ended operation's files and rows; its ledger stays."""

    def gc(self, *, older_than_s: float, dry_run: bool = False) -> wire.GcReport:
        """Remove what ended long ago, and checkpoints that nothing needs."""


class Acting(Protocol):
    """What may be done to a run."""

    def command(
        self,
        operation_id: str,
        request: wire.CommandRequest,
        *,
        principal: wire.Principal,
        idempotency_key: str | None = None,
    ) -> wire.Decision:
        """Record a decision and carry it out."""

    def decisions(self, operation_id: str | None = None) -> list[wire.Decision]:
        """Return the ledger, oldest first."""

    def verify_ledger(self) -> wire.LedgerState:
        """Check the ledger's chain of hashes."""

    def use(self, operation_id: str, request: wire.UseRequest) -> wire.UseAnswer:
        """Ask a finished model."""

    def models(self) -> list[wire.ModelEntry]:
        """List the models that can be used."""


class Watching(Protocol):
    """What may be read of a run."""

    def metrics(
        self,
        operation_id: str,
        *,
        scope: str = "",
        keys: tuple[str, ...] = (),
        from_step: int | None = None,
        to_step: int | None = None,
        points: int = 1000,
        since: str | None = None,
        all_attempts: bool = False,
    ) -> wire.MetricHistory:
        """Return curves, down-sampled to about `points` rows."""

    def events(
        self, operation_id: str, *, since: str | None = None, limit: int = 1000, kinds: tuple[str, ...] = ()
    ) -> wire.EventPage:
        """Return events after a cursor, of all kinds or only of some."""

    def wait(self, operation_id: str, *, until: str = "terminal", timeout_s: float = 60.0) -> wire.WaitResult:
        """Return when something happened or the time is over."""

    def logs(self, operation_id: str, *, since: str | None = None, limit: int = 200) -> wire.LogPage:
        """Return lines of the log: the last ones, or those after a cursor."""

    def compare(self, operation_ids: tuple[str, ...]) -> wire.Comparison:
        """Put operations side by side."""


class Holdings(Protocol):
    """What a run left behind."""

    def artifacts(self, operation_id: str) -> list[wire.Artifact]:
        """List the files it produced."""

    def artifact(self, operation_id: str, name: str) -> Path:
        """Return the path of one of them."""

    def checkpoints(self, operation_id: str) -> list[wire.Checkpoint]:
        """List its resumable states."""

    def environment(self, operation_id: str) -> dict[str, Any]:
        """Return what its latest attempt ran on: packages, git, machine."""

    def spec(self, operation_id: str) -> dict[str, Any]:
        """Return the spec as it was accepted."""

    def lineage(self, operation_id: str) -> wire.Lineage:
        """Return ancestors and descendants."""


class Entrance(Protocol):
    """Who may come, and what they bring."""

    def create_token(self, request: TokenRequest) -> NewToken:
        """Make a token for TCP; the answer is the only place that ever holds its secret."""

    def tokens(self) -> list[Token]:
        """List the tokens, without their secrets."""

    def revoke_token(self, name: str) -> Token:
        """End a token, by its id or by its name."""

    def put_input(self, sha256: str, *, name: str, chunks: Iterable[bytes]) -> Input:
        """Keep a file under the hash of its content; a spec may then name its path."""

    def input(self, sha256: str, *, name: str | None = None) -> Input:
        """Return the file that was sent under a hash."""


class Platform(Catalogue, Operations, Acting, Watching, Holdings, Entrance, Protocol):
    """Every action there is. Interfaces and the client offer exactly these."""
