"""The release of a model: until it is approved, its files lie outside the artifacts, where nothing uses them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tutelage.core.ports import Run
from tutelage.services.tabular.report.final import MODEL

WITHHELD = "withheld"
MODEL_FILES = "model.*"


def withhold(run: Run) -> Path:
    """Take the model, its signature and its other forms out of the artifacts; return where the model lies."""
    folder = run.dir / WITHHELD
    folder.mkdir(exist_ok=True)
    _move(run.artifact(MODEL).parent, folder)
    return folder / MODEL


def release(run: Run) -> None:
    """Bring back what is withheld; what a kill cut in two is finished."""
    _move(run.dir / WITHHELD, run.artifact(MODEL).parent)
    shutil.rmtree(run.dir / WITHHELD, ignore_errors=True)


def discard(run: Run) -> None:
    """Remove the model in every form."""
    shutil.rmtree(run.dir / WITHHELD, ignore_errors=True)
    for path in run.artifact(MODEL).parent.glob(MODEL_FILES):
        path.unlink()


def find(run: Run) -> list[Path]:
    """Return the model's file, withheld or released."""
    return [path for path in (run.dir / WITHHELD / MODEL, run.artifact(MODEL)) if path.is_file()]


def _move(source: Path, target: Path) -> None:
    for path in source.glob(MODEL_FILES):
        os.replace(path, target / path.name)
