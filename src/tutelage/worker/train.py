"""One attempt of one operation, from the fence to the result document."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from tutelage.core.atomic import write_json
from tutelage.core.errors import DiskFull, MemoryLimit, TrainingError, TutelageError
from tutelage.core.layout import HomeFiles, OperationFiles
from tutelage.core.service import Service, load
from tutelage.core.spec import Spec
from tutelage.executors.local import LOCK_HELD
from tutelage.executors.local.process import ProcessId
from tutelage.run import FileRun
from tutelage.services.registry import Registry
from tutelage.settings import load_settings
from tutelage.worker.environment import write_environment
from tutelage.worker.system import sample_system

TRACEBACK_LINES = 30
RECORD_S = 10.0
"""How long a training that is already over waits for the record of what it ran on."""


def train_attempt(home: Path, operation: str, attempt: int) -> int:
    """Train one attempt; return the process's exit code.

    0: ended deliberately; 1: failed, with an `error` event; 75: another worker holds the fence.
    """
    files = HomeFiles(home).operation(operation)
    fence = take_fence(files)
    if fence is None:
        return LOCK_HELD
    write_json(files.pid, _own_identity())
    spec = Spec.model_validate_json(files.spec.read_bytes())
    service = Registry(load_settings(home).services).get(spec.service)
    run = FileRun(
        files=files,
        service=service,
        attempt=attempt,
        seed=spec.seed,
        cpus=spec.resources.cpus,
        memory_gib=spec.resources.memory_gib,
    )
    run.begin()
    return _train(run, spec, service, files)


def take_fence(files: OperationFiles) -> IO[str] | None:
    """Take the operation's lock for the life of the process, or return None where another worker holds it."""
    lock = files.lock.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def _train(run: FileRun, spec: Spec, service: Service, files: OperationFiles) -> int:
    recorder = threading.Thread(target=write_environment, args=(files.environment,), daemon=True, name="environment")
    recorder.start()
    threading.Thread(target=sample_system, args=(run,), daemon=True, name="system").start()
    try:
        run.progress(0, None, message=f"loading {service.name}")
        run.flush()
        config = load(service.config).model_validate(spec.config)
        result = load(service.train)(config, run)
        _finish(run, result, files)
    except BaseException as error:  # noqa: BLE001  the process's edge: every failure is recorded as an event
        run.error(describe(error))
        return 1
    finally:
        recorder.join(RECORD_S)
        run.close()
    return 0


def _finish(run: FileRun, result: Mapping[str, Any] | None, files: OperationFiles) -> None:
    if result is not None:
        run.tell_artifacts()
        run.flush()
        write_json(files.result, result, durable=True)
        run.ended("completed")
        return
    if run.ending is None or run.ending.verb not in ("pause", "cancel"):
        if not run.asked:
            raise TrainingError("the service ended without a result, and nobody had asked it to pause or cancel")
        run.ended("paused")
        return
    run.ended("paused" if run.ending.verb == "pause" else "cancelled")


def describe(error: BaseException) -> dict[str, Any]:
    """Return what an `error` event says of an exception: a stable code, the message, the hint, the traceback."""
    known = _as_known(error)
    lines = "".join(traceback.format_exception(error)).splitlines()[-TRACEBACK_LINES:]
    if known is not None:
        expected = isinstance(error, TutelageError)
        return {
            "code": known.code,
            "message": known.message,
            "hint": known.hint,
            "traceback_tail": [] if expected else lines,
        }
    return {
        "code": TrainingError.code,
        "message": f"{type(error).__name__}: {error}"[:2000],
        "hint": "the traceback below and the log say where; `tutelage logs ID` shows more",
        "traceback_tail": lines,
    }


def _as_known(error: BaseException) -> TutelageError | None:
    if isinstance(error, TutelageError):
        return error
    if isinstance(error, MemoryError):
        return MemoryLimit("the training ran out of memory", hint="raise resources.memory_gib, or use fewer rows")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"no room on the disk: {error}", hint="free some space, then `tutelage resume ID`")
    return None


def _own_identity() -> dict[str, Any]:
    identity = ProcessId.of(os.getpid())
    assert identity is not None, "a running process has an identity"
    return identity.document()
