"""Makes an embedded tracker's database whole or not at all: a half-migrated one could never be mended."""

from __future__ import annotations

import os
from pathlib import Path

from mlflow import MlflowClient

from tutelage.core.tracking import SQLITE


def make_database(path: Path) -> None:
    """Have MLflow create its tables in a file beside, which takes the name once all of them are there."""
    if path.exists() and path.stat().st_size > 0:
        return
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # of an exporter that was killed
    MlflowClient(f"{SQLITE}{fresh}").search_experiments(max_results=1)
    os.replace(fresh, path)
