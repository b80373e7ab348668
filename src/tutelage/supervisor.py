"""The process that owns a home: takes its lock, adopts its workers, serves its API on a Unix socket, ends when idle."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import logging
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import uvicorn

from tutelage import __version__
from tutelage.core.atomic import write_json
from tutelage.core.layout import HomeFiles
from tutelage.core.signing import installation_key
from tutelage.executors import ProcessId
from tutelage.interfaces.rest.app import create_app
from tutelage.main import Parts, build
from tutelage.settings import Settings, load_settings

LOG = logging.getLogger("tutelage.supervisor")
LOCK_HELD = 75
MAX_SOCKET_PATH = 100
"""A Unix socket's address holds 108 bytes."""


def main() -> int:
    """Own a home until there is nothing left to do."""
    parser = argparse.ArgumentParser(prog="tutelage.supervisor")
    parser.add_argument("--home", type=Path, required=True)
    home: Path = parser.parse_args().home.resolve()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = take_lock(HomeFiles(home))
    if lock is None:
        LOG.info("another supervisor owns %s", home)
        return LOCK_HELD
    settings = load_settings(home)
    installation_key(settings.files.key)
    parts = build(settings)
    try:
        serve(parts, settings)
    finally:
        parts.close()
        lock.close()
    return 0


def take_lock(files: HomeFiles) -> IO[str] | None:
    """Take the home's lock for the life of the process, or return None where another process holds it."""
    lock = files.supervisor_lock.open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def serve(parts: Parts, settings: Settings) -> None:
    """Adopt, listen, go round; return when idle or told to end."""
    parts.supervision.adopt()
    listener = _listen(settings.files)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(parts.platform, parts.base.hub),
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
    )
    rounds = threading.Thread(target=_guarded, args=(parts.supervision.run, server), name="supervision")
    idle = threading.Thread(target=_end_when_idle, args=(parts, settings, server), name="idle", daemon=True)
    rounds.start()
    idle.start()
    LOG.info("tutelage %s owns %s", __version__, settings.home)
    try:
        server.run(sockets=[listener])
    finally:
        parts.supervision.end()
        settings.files.supervisor.unlink(missing_ok=True)
        socket_path(settings.files).unlink(missing_ok=True)
        listener.close()
        rounds.join()


def _guarded(run: Callable[[], None], server: uvicorn.Server) -> None:
    """Run the rounds; a bug in them ends the whole process with its traceback, and the next one adopts the workers."""
    try:
        run()
    except BaseException:
        LOG.exception("the supervision failed")
        server.should_exit = True
        raise


def _end_when_idle(parts: Parts, settings: Settings, server: uvicorn.Server) -> None:
    """End the server once nothing is live, pending, watched or outstanding for `idle_s`."""
    hub = parts.base.hub
    quiet_since = time.monotonic()
    while not server.should_exit:
        time.sleep(min(0.5, max(0.05, settings.idle_s / 4)))
        now = time.monotonic()
        if not parts.platform.is_idle():
            quiet_since = now
        elif now - max(quiet_since, hub.last_request) > settings.idle_s:
            LOG.info("idle for %g s; ending", settings.idle_s)
            settings.files.supervisor.unlink(missing_ok=True)
            server.should_exit = True


def _listen(files: HomeFiles) -> socket.socket:
    """Bind the home's Unix socket with mode 0600 and say where it is in `supervisor.json`."""
    path = socket_path(files)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(512)
    own = ProcessId.of(os.getpid())
    assert own is not None, "a running process has an identity"
    document = {**own.document(), "version": __version__, "socket": str(path)}
    write_json(files.supervisor, document)
    return listener


def socket_path(files: HomeFiles) -> Path:
    """Return where the socket lies: in the home, or in a private temporary folder when the home's path is too long."""
    inside = files.root / "supervisor.sock"
    if len(str(inside)) <= MAX_SOCKET_PATH:
        return inside
    folder = Path(tempfile.gettempdir()) / f"tutelage-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else; set TMPDIR to a folder of your own")
    return folder / f"{hashlib.sha256(str(files.root).encode()).hexdigest()[:16]}.sock"


if __name__ == "__main__":
    sys.exit(main())
