"""A run without a supervisor, for a training in a script or a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tutelage.core.layout import OperationFiles
from tutelage.core.service import Service
from tutelage.run.run import FileRun

NOBODYS = Service(name="own", about="a training of one's own", unit="step", config="", train="")


@contextmanager
def run_in(folder: Path, *, seed: int = 42) -> Iterator[FileRun]:
    """Give a run that keeps events, checkpoints and artifacts in a folder; entered again, it goes on where it was.

    Its commands are the lines that somebody appends to `commands.ndjson` in that folder.
    """
    files = OperationFiles(folder.resolve())
    attempt = 1 + len(list(files.events.glob("*.ndjson")))
    run = FileRun(files=files, service=NOBODYS, attempt=attempt, seed=seed)
    run.begin()
    try:
        yield run
    finally:
        run.close()
