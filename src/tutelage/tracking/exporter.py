"""One try to export one operation: probe, stages, state. Whatever fails is written down, and fails nothing else."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tutelage.core.layout import HomeFiles, OperationFiles
from tutelage.core.tracking import SQLITE, TrackingRequest, asked, read_object
from tutelage.tracking.reach import Unreachable, reach
from tutelage.tracking.state import ExportState

LOG = logging.getLogger(__name__)
OK, FAILED, BUSY = 0, 1, 75


def export(home: HomeFiles, operation: str) -> int:
    """Export one operation and return the process's exit code; `state.json` says how it went."""
    files = home.operation(operation)
    request = asked(files)
    if request is None:
        LOG.error("%s asks for no export", operation)
        return FAILED
    with _lock(files.tracking_lock, block=False) as held:
        return _try(files, request) if held else BUSY


def _try(files: OperationFiles, request: TrackingRequest) -> int:
    feed = read_object(files.tracking_feed)
    state = ExportState.load(files.tracking_state, attempt=int(feed.get("attempt", 0)))
    if state.status == "logged":
        return OK  # by an exporter that outlived its supervisor
    try:
        _refuse_own_database(files, request.uri)
        reach(request.uri)
        with _one_at_a_time(request.uri):
            # Late: MLflow takes 3 s that a dead tracker must not cost.
            from tutelage.tracking.database import make_database
            from tutelage.tracking.stages import Stages

            if request.uri.startswith(SQLITE):
                make_database(Path(request.uri.removeprefix(SQLITE)))
            left_out = Stages(files=files, request=request, feed=feed, state=state).run()
    except Unreachable as error:
        LOG.warning("%s", error)
        state.end("unreachable", str(error))
        return FAILED
    except Exception as error:  # the process's edge: recorded in the state, shown with the operation
        LOG.exception("the export failed")
        state.end("unreachable", f"{type(error).__name__}: {error}")
        return FAILED
    state.end("logged", left_out)
    return OK


def _refuse_own_database(files: OperationFiles, uri: str) -> None:
    """Raise Unreachable for a file of the home other than its tracker's: MLflow must never write into those."""
    home = HomeFiles(files.root.parent.parent)
    if uri.startswith(SQLITE):
        path = Path(uri.removeprefix(SQLITE)).resolve()
        if path.is_relative_to(home.root.resolve()) and path != home.tracker.resolve():
            raise Unreachable(f"{path} lies in the home, where the tracker is {home.tracker.name}")


@contextmanager
def _one_at_a_time(uri: str) -> Iterator[None]:
    """Take turns on a database file: two first migrations at once would collide."""
    if not uri.startswith(SQLITE):
        yield
        return
    with _lock(Path(f"{uri.removeprefix(SQLITE)}.lock"), block=True):
        yield


@contextmanager
def _lock(path: Path, *, block: bool) -> Iterator[bool]:
    """Hold a lock for the block's time; yield False where another process holds it and `block` is False."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if block else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
