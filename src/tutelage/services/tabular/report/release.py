"""The release of a model: only a signed file carries the name under which it is used."""

from __future__ import annotations

import os
from pathlib import Path

from tutelage.core.ports import Run
from tutelage.core.signing import installation_key, sign_file
from tutelage.services.tabular.report.final import MODEL
from tutelage.settings import load_settings


def unsigned(run: Run) -> Path:
    """Return where the tested model lies until it is released."""
    return run.artifact(MODEL).with_suffix(".tmp")


def release(run: Run) -> None:
    """Give the model its name and sign it; what a kill cut in two is finished."""
    path = run.artifact(MODEL)
    if unsigned(run).is_file():
        os.replace(unsigned(run), path)
    sign_file(path, installation_key(load_settings().files.key))
