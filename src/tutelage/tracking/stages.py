"""The stages of an export: run, parameters, metrics, artifacts, model, version, end. Each can be repeated unharmed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from tutelage import __version__
from tutelage.core.layout import OperationFiles
from tutelage.core.numbers import from_json_number
from tutelage.core.tracking import HTTP, SQLITE, TrackingRequest, read_object
from tutelage.tracking.model import log_model, register
from tutelage.tracking.names import MAX_TAG, experiment_name, flattened, key_name, value_text
from tutelage.tracking.state import ExportState

T = TypeVar("T")
OPERATION_TAG = "tutelage.operation"
ERROR_TAG, ERROR_PARTS = "tutelage.error", ("code", "message")
BATCH_METRICS, BATCH_PARAMS = 1000, 100
"""What MLflow takes in one request."""
TRACKING_KEYS = ("experimentTracking", "experiment_tracking")
NOT_SENT = (".sig", ".tmp", ".joblib")
"""Signatures are this installation's own; the model goes by a stage of its own."""


class Stages:
    """One export on one tracker, going on where the state says."""

    def __init__(
        self, *, files: OperationFiles, request: TrackingRequest, feed: Mapping[str, Any], state: ExportState
    ) -> None:
        self._files, self._request, self._feed, self._state = files, request, feed, state
        mlflow.set_tracking_uri(request.uri)  # parts of MLflow ask the global tracker, whatever the client was told
        mlflow.set_registry_uri(request.uri)
        self._client = MlflowClient(request.uri, registry_uri=request.uri)
        self._result = read_object(files.result) if feed["state"] == "completed" else {}
        self._is_new = False

    def run(self) -> str:
        """Do what is not done yet; return what had to be left out, or an empty text. Raises MlflowException."""
        run = self._open_run()
        left_out = self._why_no_files(run)
        stages = {"params": self._log_params, "metrics": self._log_metrics}
        if not left_out:
            stages |= {"artifacts": self._log_artifacts}
            if self._result and self._request.model:
                stages |= {"model": self._log_model, "version": self._register}
        for name, stage in stages.items():
            if name not in self._state.done:
                stage(run.info.run_id)
                self._state.finish(name)
        self._end(run)
        return left_out

    def _end(self, run: Run) -> None:
        """Set the run's status; one that failed and was resumed to its end is no failure any more."""
        is_complete = self._feed["state"] == "completed"
        if is_complete:
            for name in (f"{ERROR_TAG}.{part}" for part in ERROR_PARTS):
                if name in run.data.tags:
                    self._client.delete_tag(run.info.run_id, name)
        status = "FINISHED" if is_complete else "FAILED"
        self._client.set_terminated(run.info.run_id, status=status, end_time=self._feed["ended_ms"])

    def _open_run(self) -> Run:
        """Return the operation's one run: the one of the state, else the one with its tag, else a new one."""
        state = self._state
        run = self._kept_run() or self._tagged_run()
        if run is None:
            experiment = self._experiment()
            name = self._feed["name"] or self._feed["operation"]
            run = self._client.create_run(
                experiment, start_time=self._feed["started_ms"], tags=self._tags(), run_name=value_text(name, limit=250)
            )
            self._is_new = True
        state.run_id, state.experiment_id = run.info.run_id, run.info.experiment_id
        state.save()
        return run

    def _kept_run(self) -> Run | None:
        """Return the run that an earlier try made, unless somebody deleted it since."""
        if self._state.run_id is None:
            return None
        try:
            run = self._client.get_run(self._state.run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            run = None
        if run is not None and run.info.lifecycle_stage == "active":
            return run
        self._state.run_id, self._state.done = None, []
        return None

    def _tagged_run(self) -> Run | None:
        """Return the run of a try that died before it could write the run's name down."""
        experiment = self._client.get_experiment_by_name(self._experiment_name)
        if experiment is None or experiment.lifecycle_stage != "active":
            return None
        wanted = f"tags.`{OPERATION_TAG}` = '{self._feed['operation']}'"
        found = self._client.search_runs([experiment.experiment_id], filter_string=wanted, max_results=1)
        return found[0] if found else None

    @property
    def _experiment_name(self) -> str:
        return experiment_name(self._request.experiment or self._feed["service"])

    def _experiment(self) -> str:
        """Return the experiment's id, made on first use; a database file keeps its artifacts beside it."""
        name, uri = self._experiment_name, self._request.uri
        known = self._client.get_experiment_by_name(name)
        if known is not None:
            if known.lifecycle_stage != "active":
                raise MlflowException(f"the experiment {name!r} was deleted; restore it, or name another one")
            return str(known.experiment_id)
        place = None
        if uri.startswith(SQLITE):
            database = Path(uri.removeprefix(SQLITE))
            place = (database.parent / f"{database.stem}-artifacts" / quote(name, safe=" ")).as_uri()
        try:
            return str(self._client.create_experiment(name, artifact_location=place))
        except MlflowException:
            known = self._client.get_experiment_by_name(name)  # another export was first
            if known is None:
                raise
            return str(known.experiment_id)

    def _why_no_files(self, run: Run) -> str:
        """Return why artifacts and model cannot be sent, or an empty text.

        A server that keeps files elsewhere names the place, and its client writes there: into any folder of this
        machine, or to any host. Only what the tracker takes itself is sent.
        """
        scheme = urlsplit(run.info.artifact_uri or "").scheme
        if urlsplit(self._request.uri).scheme not in HTTP or scheme == "mlflow-artifacts":
            return ""
        return f"artifacts and model are left out: the server keeps them at {scheme or 'file'} addresses of its own"

    def _tags(self) -> dict[str, str]:
        feed = self._feed
        own = {OPERATION_TAG: feed["operation"], "tutelage.version": __version__, "tutelage.service": feed["service"]}
        given = {f"tag.{key_name(name)}": value_text(value, limit=MAX_TAG) for name, value in feed["tags"].items()}
        return {**given, **own}

    def _log_params(self, run_id: str) -> None:
        params = [Param(name, value) for name, value in self._params().items()]
        for batch in _batches(params, BATCH_PARAMS):
            self._client.log_batch(run_id, params=batch)
        error = self._feed.get("error") or {}
        for name in ERROR_PARTS:
            if error.get(name):
                tag = RunTag(f"{ERROR_TAG}.{name}", value_text(str(error[name]), limit=MAX_TAG))
                self._client.log_batch(run_id, tags=[tag])

    def _params(self) -> dict[str, str]:
        """Return the best parameters by their names, the config's leaves as `config.…`, and the seed."""
        spec = read_object(self._files.spec)
        config = {name: value for name, value in spec.get("config", {}).items() if name not in TRACKING_KEYS}
        leaves = [("seed", spec.get("seed")), *flattened(config, "config")]
        leaves += list(flattened(self._result.get("bestParams") or {}))
        return {key_name(name): value_text(value) for name, value in leaves}

    def _log_metrics(self, run_id: str) -> None:
        points = list(self._points())
        if not self._is_new:
            points = self._without_known(run_id, points)
        for batch in _batches(points, BATCH_METRICS):
            self._client.log_batch(run_id, metrics=batch)

    def _points(self) -> Iterator[Metric]:
        """Yield each point of the curves, and the result's numbers at step 0 of a curve of their own."""
        for name, rows in self._feed["curves"].items():
            for step, value, at_ms in rows:
                yield Metric(key_name(name), float(from_json_number(value)), at_ms, step)
        for name, value in flattened(self._result.get("metrics") or {}):
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield Metric(key_name(name), float(value), self._feed["ended_ms"], 0)

    def _without_known(self, run_id: str, points: list[Metric]) -> list[Metric]:
        """Return the points that an earlier try did not bring; a file of the store would else be doubled."""
        known = {
            (name, item.step)
            for name in {point.key for point in points}
            for item in self._client.get_metric_history(run_id, name)
        }
        return [point for point in points if (point.key, point.step) not in known]

    def _log_artifacts(self, run_id: str) -> None:
        root = self._files.artifacts
        for path in sorted(path for path in root.rglob("*") if path.is_file() and path.suffix not in NOT_SENT):
            folder = path.parent.relative_to(root).as_posix()
            self._client.log_artifact(run_id, str(path), artifact_path=None if folder == "." else folder)
        if self._result:
            self._log_result(run_id)

    def _log_result(self, run_id: str) -> None:
        """Send the result document, less the block that tells of this very export."""
        shown = {name: value for name, value in self._result.items() if name != "experiment"}
        with TemporaryDirectory() as folder:
            path = Path(folder) / "result.json"
            path.write_text(json.dumps(shown, indent=1))
            self._client.log_artifact(run_id, str(path))

    def _log_model(self, run_id: str) -> None:
        log_model(self._client, self._files, self._request, self._state, run_id)

    def _register(self, run_id: str) -> None:
        name = self._request.registered_model or self._request.experiment or self._feed["name"]
        register(self._client, self._request, self._state, run_id, name=name or f"tutelage-{self._feed['service']}")


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    for first in range(0, len(items), size):
        yield list(items[first : first + size])
