"""Training of a benchmark's own small task by the product's loop, in a temporary folder."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tutelage.core.layout import HomeFiles
from tutelage.core.service import Service
from tutelage.run import FileRun
from tutelage.training import Outcome, Plan, fit

_SERVICE = Service(name="benchmark", about="a benchmark's own task", unit="step", config="", train="")


def fit_in_temporary_folder(task: Any, plan: Plan, *, seed: int) -> Outcome:
    """Train the task's model; what the run wrote is thrown away."""
    with tempfile.TemporaryDirectory(prefix="tutelage-bench-") as name:
        run = open_run(Path(name), seed=seed)
        try:
            return fit(task, plan, run)
        finally:
            run.close()


def open_run(folder: Path, *, seed: int) -> FileRun:
    """Begin the first attempt of an operation in a folder of its own."""
    files = HomeFiles(folder).operation("op_benchmark")
    files.root.mkdir(parents=True)
    files.commands.write_text("")
    run = FileRun(files=files, service=_SERVICE, attempt=1, seed=seed)
    run.begin()
    return run
