"""What `tabular` tells a tracker: its request at the beginning, its model at the end."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tutelage.core.errors import TutelageError
from tutelage.core.layout import OperationFiles
from tutelage.core.ports import Run
from tutelage.core.tracking import TrackedModel, TrackingRequest, ask, read_object
from tutelage.services.tabular.config import TabularConfig
from tutelage.settings import load_settings

MODEL_READER = "tutelage.services.tabular.tracking:tracked_model"
EXAMPLE_ROWS = 5
MAX_EXAMPLE_BYTES = 256 << 20
"""A larger table is not opened for five rows of it; the model then goes without an example."""
ALWAYS = ("tutelage", "scikit-learn", "pandas", "numpy", "joblib", "cloudpickle")
LIBRARIES = {
    "lightgbm": ("lightgbm",),
    "xgboost": ("xgboost-cpu", "xgboost"),
    "catboost": ("catboost",),
    "torch": ("torch",),
}
"""Module -> the distributions that may hold it."""


def ask_for_export(config: TabularConfig, run: Run) -> None:
    """Leave the request for the exporter, before any work, so that a failure is exported too."""
    given = config.experiment_tracking
    if not given.enabled:
        return
    request = TrackingRequest(
        attempt=run.attempt,
        uri=given.tracking_uri or f"sqlite:///{load_settings().files.tracker.resolve()}",
        experiment=given.experiment_name,
        registered_model=given.registered_model,
        alias=given.model_alias,
        model=MODEL_READER,
    )
    ask(OperationFiles(run.dir), request)


def tracked_model(folder: Path) -> TrackedModel:
    """Return the finished model of an operation's folder. Raises DamagedFile where its signature does not hold."""
    import joblib  # late: the exporter imports this module, and the training needs only the half above

    from tutelage.core.signing import check_signature, installation_key
    from tutelage.services.tabular.models.wrappers import AsPredicted
    from tutelage.services.tabular.report.final import MODEL

    path = folder / "artifacts" / MODEL
    check_signature(path, installation_key(load_settings().files.key))
    pipeline = joblib.load(path)
    names = tuple(pipeline["columns"].reader.names)
    return TrackedModel(
        model=AsPredicted(pipeline), columns=names, example=_example(folder, names), requirements=_requirements()
    )


def _example(folder: Path, names: tuple[str, ...]) -> Any:
    """Return a few raw rows of the training table, or None where that table is not the same any more."""
    from tutelage.services.tabular.data.sources import read_table

    known = read_object(folder / "result.json").get("metadata", {}).get("data", {}).get("train", {})
    source = str(known.get("source", ""))
    try:
        if not source.startswith("sklearn:") and Path(source).stat().st_size > MAX_EXAMPLE_BYTES:
            return None
        table = read_table(source)
    except (OSError, TutelageError):
        return None
    return table.frame[list(names)].head(EXAMPLE_ROWS) if table.sha256 == known.get("sha256") else None


def _requirements() -> tuple[str, ...]:
    """Return pip's lines for what is loaded with the model; MLflow's own guess takes seconds and names too much."""
    loaded = [names for module, names in LIBRARIES.items() if module in sys.modules]
    lines = [_line((name,)) for name in ALWAYS] + [_line(names) for names in loaded]
    return tuple(line for line in lines if line)


def _line(distributions: tuple[str, ...]) -> str:
    for name in distributions:
        try:
            return f"{name}=={version(name)}"
        except PackageNotFoundError:
            continue
    return ""
