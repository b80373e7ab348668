"""MLflow on its SQLite backend, used as its documents say: the tracking client, batches of 1,000."""

from __future__ import annotations

import importlib.util
import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ABSENT = {"absent": "not installed: pip install 'tutelage[mlflow]'"}
LARGEST_BATCH = 1000
"""MLflow refuses more metrics in one `log_batch`."""


class MlflowPeer:
    """One MLflow database with one experiment."""

    def __init__(self, folder: Path) -> None:
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        # imported here: it may be absent, takes two seconds, and reads its environment when imported
        import mlflow
        from mlflow.entities import Metric
        from mlflow.tracking import MlflowClient

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self.version: str = mlflow.__version__
        self.path = folder / "mlflow.db"
        self._metric = Metric
        self._client = MlflowClient(tracking_uri=f"sqlite:///{self.path}")
        self._experiment = self._client.create_experiment("benchmark", artifact_location=str(folder / "artifacts"))

    def start_run(self) -> str:
        """Begin a run and return its id."""
        return str(self._client.create_run(self._experiment).info.run_id)

    def entities(self, rows: Sequence[tuple[int, Mapping[str, float]]]) -> list[Any]:
        """Return MLflow's own objects for (step, values) rows."""
        at_ms = int(time.time() * 1000)
        return [self._metric(name, value, at_ms, step) for step, values in rows for name, value in values.items()]

    def write(self, run: str, entities: Sequence[Any]) -> None:
        """Log one batch."""
        self._client.log_batch(run, metrics=entities)

    def read(self, run: str, key: str) -> list[Any]:
        """Return the whole history of one metric."""
        return list(self._client.get_metric_history(run, key))


def open_peer(folder: Path) -> MlflowPeer | None:
    """Return MLflow with a fresh database in `folder`, or None where it is not installed."""
    return MlflowPeer(folder) if importlib.util.find_spec("mlflow") else None
