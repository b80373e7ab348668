"""The checks of `tutelage doctor`; none starts anything or imports a library of machine learning."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tutelage import __version__
from tutelage.client import connect
from tutelage.client.starter import recorded
from tutelage.core.errors import TutelageError
from tutelage.core.layout import HomeFiles
from tutelage.interfaces.cli.words import duration, size
from tutelage.settings import Settings

MIN_FREE_BYTES = 1 << 30
MIN_PYTHON = (3, 11)
EXTRAS = {
    "demo": ("sklearn", "lightgbm", "optuna", "matplotlib", "pandas", "joblib"),
    "tabular": ("pyarrow",),
    "mlflow": ("mlflow",),
}
"""Extra -> the modules it brings."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing looked at; `ok` None where there is nothing to judge."""

    name: str
    detail: str
    ok: bool | None = True


def checks(settings: Settings) -> Iterator[Check]:
    """Yield every check of this installation."""
    python = platform.python_version()
    yield Check(name="tutelage", detail=f"{__version__}, Python {python}", ok=sys.version_info >= MIN_PYTHON)
    if settings.url:
        yield _answers(settings, f"{settings.url} answers")
    else:
        yield _home(settings.home)
        yield from _home_parts(settings)
    yield _machine(settings)
    yield _gpus(settings)
    yield from (_extra(name, modules) for name, modules in EXTRAS.items())


def _home(home: Path) -> Check:
    if not home.exists():
        parent = next(folder for folder in home.parents if folder.exists())
        ok = os.access(parent, os.W_OK)
        return Check(name="home", detail=f"{home} (not made yet)" if ok else f"{home} cannot be made", ok=ok)
    if not os.access(home, os.W_OK | os.X_OK):
        return Check(name="home", detail=f"{home} is not writable", ok=False)
    mode = home.stat().st_mode & 0o077
    note = " (others may look inside; chmod 700 it)" if mode else ""
    return Check(name="home", detail=f"{home}{note}", ok=not mode)


def _home_parts(settings: Settings) -> Iterator[Check]:
    folder = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    yield Check(name="disk", detail=f"{size(free)} free", ok=free >= MIN_FREE_BYTES)
    database = settings.files.database
    if database.exists():
        whole = sum(path.stat().st_size for path in settings.home.glob(f"{database.name}*"))
        writable = os.access(database, os.W_OK)
        yield Check(name="database", detail=size(whole) + ("" if writable else ", not writable"), ok=writable)
    if settings.home.exists():
        yield _supervisor(settings)


def _supervisor(settings: Settings) -> Check:
    """Look at the supervisor: absent is fine, silent or with a lock that nobody answers for is not."""
    files = settings.files
    if recorded(files) is None and not _is_locked(files.supervisor_lock):
        return Check(name="supervisor", detail="not running; any command starts it", ok=None)
    found = _answers(settings, "running")
    if found.ok or _is_locked(files.supervisor_lock):
        return found
    return Check(name="supervisor", detail=f"not running; any command starts it{_leftovers(files)}", ok=None)


def _answers(settings: Settings, word: str) -> Check:
    try:
        with connect(settings, start=False) as client:
            health = client.health()
    except TutelageError as error:
        return Check(name="supervisor", detail=f"{error.message}. {error.hint}", ok=False)
    up = f"{word}, process {health.pid}, up {duration(health.uptime_s)}, {health.rss_mib:.0f} MiB"
    load = f"{health.live} live, {health.queued} queued"
    other = "" if health.version == __version__ else f"; its version is {health.version}, this one {__version__}"
    degraded = f"; {health.detail}" if health.detail else ""
    return Check(name="supervisor", detail=f"{up}; {load}{other}{degraded}", ok=health.status == "ok" and not other)


def _is_locked(path: Path) -> bool:
    """Tell whether a process holds the lock."""
    try:
        with path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _leftovers(files: HomeFiles) -> str:
    return " (the last one did not end by itself)" if files.supervisor.exists() else ""


def _machine(settings: Settings) -> Check:
    memory = psutil.virtual_memory()
    detail = (
        f"{os.cpu_count()} CPUs ({settings.cpus} to hand out), {size(memory.available)} of {size(memory.total)} free"
    )
    return Check(name="machine", detail=detail)


def _gpus(settings: Settings) -> Check:
    """Count GPUs by their driver's own folder: asking a library would import it."""
    folder = Path("/proc/driver/nvidia/gpus")
    found = len(list(folder.iterdir())) if folder.is_dir() else 0
    ok = settings.gpus <= found
    return Check(name="gpus", detail=f"{found} found, {settings.gpus} to hand out", ok=ok)


def _extra(name: str, modules: tuple[str, ...]) -> Check:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    detail = f"not installed: {', '.join(missing)}; pip install 'tutelage[{name}]'" if missing else "installed"
    return Check(name=f"extra {name}", detail=detail, ok=None if missing else True)
