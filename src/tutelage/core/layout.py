"""Where the files of a home and of an operation lie; the only place that knows their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class OperationFiles:
    """The folder of one operation."""

    root: Path

    @property
    def spec(self) -> Path:
        """The spec as accepted, with the service's config filled in."""
        return self.root / "spec.json"

    @property
    def environment(self) -> Path:
        """What the latest attempt runs on."""
        return self.root / "environment.json"

    @property
    def events(self) -> Path:
        """The folder of event files, one an attempt."""
        return self.root / "events"

    def event_file(self, attempt: int) -> Path:
        """The append-only event file of one attempt."""
        return self.events / f"{attempt:06d}.ndjson"

    @property
    def commands(self) -> Path:
        """The lines of commands that the worker reads."""
        return self.root / "commands.ndjson"

    @property
    def pid(self) -> Path:
        """Who the worker is, written by itself before any work."""
        return self.root / "worker.pid"

    @property
    def lock(self) -> Path:
        """The fence: held by the one live worker."""
        return self.root / "run.lock"

    @property
    def result(self) -> Path:
        """The result document: exists only when completed, and is the only proof of it."""
        return self.root / "result.json"

    @property
    def log(self) -> Path:
        """What the worker and its children printed and logged."""
        return self.root / "log.txt"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints, one folder a step."""
        return self.root / "checkpoints"

    @property
    def artifacts(self) -> Path:
        """The folder of artifacts."""
        return self.root / "artifacts"

    @property
    def host_request(self) -> Path:
        """What a host was asked to run, written before it is asked; a repeated request is the same."""
        return self.root / "host_request.json"

    @property
    def host_checkpoints(self) -> Path:
        """The checkpoints that lie on the host, as it listed them last."""
        return self.root / "host_checkpoints.json"

    @property
    def tracking(self) -> Path:
        """The folder of the export to a tracker."""
        return self.root / "tracking"

    @property
    def tracking_request(self) -> Path:
        """What the run asks of a tracker, written by the worker."""
        return self.tracking / "request.json"

    @property
    def tracking_feed(self) -> Path:
        """What there is to export, written by the supervisor from its store."""
        return self.tracking / "feed.json"

    @property
    def tracking_state(self) -> Path:
        """How far the export is, written by the exporter."""
        return self.tracking / "state.json"

    @property
    def tracking_lock(self) -> Path:
        """Held by the one live exporter."""
        return self.tracking / "export.lock"

    @property
    def tracking_log(self) -> Path:
        """What the exporter and MLflow printed and logged."""
        return self.tracking / "log.txt"


@dataclass(frozen=True)
class HomeFiles:
    """The folder that holds everything."""

    root: Path

    @property
    def database(self) -> Path:
        """The tutelage database."""
        return self.root / "tutelage.db"

    @property
    def tracker(self) -> Path:
        """The embedded tracker's database."""
        return self.root / "mlflow.db"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the one process that owns the home."""
        return self.root / "supervisor.lock"

    @property
    def supervisor(self) -> Path:
        """Who the supervisor is and where it listens."""
        return self.root / "supervisor.json"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor logged."""
        return self.root / "supervisor.log"

    @property
    def start_lock(self) -> Path:
        """Held by the client that starts a supervisor."""
        return self.root / "start.lock"

    @property
    def key(self) -> Path:
        """The installation's secret key, with which models are signed."""
        return self.root / "key"

    @property
    def operations(self) -> Path:
        """The folder of operations."""
        return self.root / "operations"

    @property
    def inputs(self) -> Path:
        """The folder of files that were sent, one folder a SHA-256."""
        return self.root / "inputs"

    def operation(self, operation_id: str) -> OperationFiles:
        """The files of one operation."""
        return OperationFiles(self.operations / operation_id)
