"""Finds the supervisor of a home, and starts one, detached, when nobody answers."""

from __future__ import annotations

import fcntl
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tutelage.client.address import LOCAL_URL, Address
from tutelage.core.errors import SupervisorUnreachable
from tutelage.core.layout import HomeFiles

START_S = 20.0
POLL_S = 0.03
HEALTH_S = 10.0
LOG_LINES = 8


def find(files: HomeFiles) -> Address | None:
    """Return where the home's supervisor answers, or None when there is none.

    Raises SupervisorUnreachable for one that holds its socket but is silent: starting a second would not help.
    """
    address = recorded(files)
    if address is None or not _listens(address):
        return None
    try:
        with address.open() as http:
            return address if http.get("/healthz", timeout=HEALTH_S).is_success else None
    except httpx.TimeoutException:
        text = f"the supervisor of {files.root} does not answer within {HEALTH_S:.0f} s"
        raise SupervisorUnreachable(text, hint=f"see {files.supervisor_log}") from None
    except httpx.TransportError:
        return None


def recorded(files: HomeFiles) -> Address | None:
    """Return where the last supervisor of the home listened, by its own record."""
    try:
        record = json.loads(files.supervisor.read_text())
        return Address(url=LOCAL_URL, socket=Path(record["socket"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _listens(address: Address) -> bool:
    """Tell whether anybody holds the socket; the HTTP library leaves a socket that cannot connect unclosed."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(address.socket))
        except OSError:
            return False
    return True


def find_or_start(files: HomeFiles) -> Address:
    """Return where the home's supervisor answers, after starting one if need be."""
    if found := find(files):
        return found
    files.root.mkdir(parents=True, mode=0o700, exist_ok=True)
    with start_lock(files):
        return find(files) or _start(files)


@contextmanager
def start_lock(files: HomeFiles) -> Iterator[None]:
    """Let one client at a time start a supervisor; the others wait and then find it."""
    with files.start_lock.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _start(files: HomeFiles) -> Address:
    """Start until one answers: the one before may still be ending and hold the home's lock."""
    deadline = time.monotonic() + START_S
    process = _spawn(files)
    while time.monotonic() < deadline:
        time.sleep(POLL_S)
        ended = process.poll() is not None
        if found := find(files):
            return found
        if ended and process.returncode != 0:
            raise _unreachable(files, f"the supervisor ended at once with exit code {process.returncode}")
        if ended:
            process = _spawn(files)
    raise _unreachable(files, f"the supervisor did not answer within {START_S:.0f} s of its start")


def _spawn(files: HomeFiles) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tutelage.supervisor", "--home", str(files.root)]
    with files.supervisor_log.open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=files.root, start_new_session=True
        )
    threading.Thread(target=process.wait, name="supervisor-reaper", daemon=True).start()
    return process


def _unreachable(files: HomeFiles, message: str) -> SupervisorUnreachable:
    try:
        lines = files.supervisor_log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    except OSError:
        lines = []
    places = [{"at": "log", "message": line} for line in lines]
    return SupervisorUnreachable(message, hint=f"the whole log: {files.supervisor_log}", errors=places)
