"""The process that owns a home: takes its lock, adopts its workers, serves its API on a Unix socket, ends when idle.

With `--serve` it also serves TCP, in the foreground, until it is told to end: that is `tutelage serve`.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import logging
import os
import pwd
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

from starlette.types import ASGIApp

from tutelage import __version__
from tutelage.client.starter import find_or_start, start_lock
from tutelage.core.atomic import write_json
from tutelage.core.errors import IllegalCommand, SupervisorUnreachable, TutelageError
from tutelage.core.layout import HomeFiles
from tutelage.core.redaction import RedactingFilter
from tutelage.core.signing import installation_key
from tutelage.core.wire import Principal
from tutelage.executors import ProcessId
from tutelage.interfaces.rest.app import create_app
from tutelage.interfaces.rest.door import Door, Rules
from tutelage.interfaces.rest.servers import DEFAULT_PORT, Listening, Servers
from tutelage.main import Parts, build
from tutelage.settings import Settings, load_settings

LOG = logging.getLogger("tutelage.supervisor")
LOCK_HELD = 75
TAKE_OVER_S = 20.0
LAST_WORD_S = 5.0
"""How long an end waits for an answer of a host; what was asked is asked again under the same key."""

MAX_SOCKET_PATH = 100
"""A Unix socket's address holds 108 bytes."""


def main() -> int:
    """Own a home until there is nothing left to do; with `--serve`, until told to end."""
    given = _arguments()
    files, listening = HomeFiles(given.home.resolve()), _listening(given)
    files.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    _start_logging(files, in_foreground=listening is not None)
    try:
        if listening is None:
            lock = take_lock(files)
            if lock is None:
                LOG.info("another supervisor owns %s", files.root)
                return LOCK_HELD
            return _own(files, lock)
        return _serve(files, listening, as_json=given.json)
    except TutelageError as error:
        sys.stderr.write(f"Error ({error.code.replace('_', ' ')}): {error.message}\n  {error.hint}\n")
        return error.exit_code


def _own(files: HomeFiles, lock: IO[str]) -> int:
    parts, settings = _parts(files)
    try:
        serve(parts, settings)
    finally:
        parts.close()
        lock.close()
    return 0


def _serve(files: HomeFiles, listening: Listening, *, as_json: bool) -> int:
    """Take the home over, say where it answers, serve; leave work that is not done to a detached supervisor."""
    with contextlib.closing(listening.listen()) as port:  # before anything is taken over
        with start_lock(files):
            lock = take_over(files)
            parts, settings = _parts(files)
            listener = _listen(settings.files, url=listening.url(port))
        try:
            sys.stdout.write(_announcement(parts, settings, listening.url(port), as_json=as_json))
            sys.stdout.flush()
            serve(parts, settings, listener=listener, tcp=(listening, port))
            is_left = not parts.platform.is_idle()
        finally:
            parts.close()
            lock.close()
    if is_left:
        find_or_start(files)
    return 0


def _parts(files: HomeFiles) -> tuple[Parts, Settings]:
    settings = load_settings(files.root)
    installation_key(settings.files.key)
    return build(settings), settings


def take_lock(files: HomeFiles) -> IO[str] | None:
    """Take the home's lock for the life of the process, or return None where another process holds it."""
    lock = files.supervisor_lock.open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def take_over(files: HomeFiles) -> IO[str]:
    """Take the lock, after asking a detached supervisor to end; its workers live on, and are adopted.

    Raises IllegalCommand where the home is served already, SupervisorUnreachable where the other does not end.
    """
    deadline, asked = time.monotonic() + TAKE_OVER_S, 0
    while time.monotonic() < deadline:
        lock = take_lock(files)
        if lock is not None:
            return lock
        owner, url = _owner(files)
        is_alive = owner is not None and owner.is_alive()
        if url and is_alive:
            raise IllegalCommand(f"the home is served already, at {url}", hint="end that `tutelage serve` first")
        if owner is not None and is_alive and owner.pid != asked:
            os.kill(owner.pid, signal.SIGTERM)
            asked = owner.pid
        time.sleep(0.05)
    raise SupervisorUnreachable(
        f"the supervisor of {files.root} did not end within {TAKE_OVER_S:g} s",
        hint=f"its process is {asked or 'unknown'}; see {files.supervisor_log}",
    )


def _owner(files: HomeFiles) -> tuple[ProcessId | None, str | None]:
    """Return who says to own the home, and the address where it serves TCP."""
    try:
        record = json.loads(files.supervisor.read_text())
        return ProcessId.from_document(record), record.get("url")
    except (OSError, ValueError, KeyError, TypeError):
        return None, None


def serve(
    parts: Parts,
    settings: Settings,
    *,
    listener: socket.socket | None = None,
    tcp: tuple[Listening, socket.socket] | None = None,
) -> None:
    """Adopt, listen, go round; return when told to end, or without TCP when idle."""
    parts.supervision.adopt()
    parts.mirroring.adopt()
    listener = listener or _listen(settings.files)
    app, hub, servers = create_app(parts.platform, parts.base.hub), parts.base.hub, Servers()
    servers.add(Door(app, hub, rules=None), listener)
    if tcp:
        listening, port = tcp
        servers.add(Door(_with_agents(app, parts, servers), hub, rules=_rules(parts, listening)), port, listening)
    rounds = threading.Thread(target=_guarded, args=(parts.supervision.run, servers), name="supervision")
    outbox = threading.Thread(target=parts.outbox.run, name="webhooks")
    hosts = [
        threading.Thread(
            target=_guarded, args=(partial(parts.mirroring.run, name), servers), name=f"host {name}", daemon=True
        )
        for name in parts.mirroring.hosts
    ]
    for thread in (rounds, outbox, *hosts):
        thread.start()
    if not tcp:
        threading.Thread(target=_end_when_idle, args=(parts, settings, servers), name="idle", daemon=True).start()
    LOG.info("tutelage %s owns %s", __version__, settings.home)
    try:
        servers.run()
    finally:
        parts.supervision.end()
        parts.outbox.end()
        parts.mirroring.end()
        settings.files.supervisor.unlink(missing_ok=True)
        socket_path(settings.files).unlink(missing_ok=True)
        listener.close()
        rounds.join()
        outbox.join()
        for thread in hosts:
            thread.join(LAST_WORD_S)


def _with_agents(app: ASGIApp, parts: Parts, servers: Servers) -> ASGIApp:
    """Return the application with MCP at /mcp."""
    # Imported here: the SDK costs every detached supervisor 0.6 s and 30 MB that only a served home needs.
    from tutelage.interfaces.mcp.http import HttpServer

    agents = HttpServer(parts.platform)
    servers.run_within(agents.running)
    return agents.before(app)


def _rules(parts: Parts, listening: Listening) -> Rules:
    return Rules(
        authenticate=parts.platform.doorkeeper.authenticate,
        is_loopback=listening.is_loopback() and not listening.behind_proxy,
        allowed_hosts={name.lower() for name in (*listening.allowed_hosts, socket.gethostname(), listening.host)},
    )


def _announcement(parts: Parts, settings: Settings, url: str, *, as_json: bool) -> str:
    login = f"{url}/login#{parts.platform.doorkeeper.login_code(Principal(name=_user_name()))}"
    if as_json:
        return json.dumps({"url": url, "login": login, "home": str(settings.home), "pid": os.getpid()}) + "\n"
    return (
        f"Serving {settings.home}\n  {url}\n\n"
        f"Log in with this link, once, within ten minutes:\n  {login}\n\n"
        "For programs and agents: tutelage token create NAME --kind agent --scope operate\n"
        "Ctrl-C ends the server; runs go on.\n"
    )


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "local"


def _guarded(run: Callable[[], None], servers: Servers) -> None:
    """Run the rounds; a bug in them ends the whole process with its traceback, and the next one adopts the workers."""
    try:
        run()
    except BaseException:
        LOG.exception("the supervision failed")
        servers.should_exit = True
        raise


def _end_when_idle(parts: Parts, settings: Settings, servers: Servers) -> None:
    """End the servers once nothing is live, pending, watched or outstanding for `idle_s`."""
    hub = parts.base.hub
    quiet_since = time.monotonic()
    while not servers.should_exit:
        time.sleep(min(0.5, max(0.05, settings.idle_s / 4)))
        now = time.monotonic()
        if not parts.platform.is_idle():
            quiet_since = now
        elif now - max(quiet_since, hub.last_request) > settings.idle_s:
            LOG.info("idle for %g s; ending", settings.idle_s)
            settings.files.supervisor.unlink(missing_ok=True)
            servers.should_exit = True


def _listen(files: HomeFiles, *, url: str | None = None) -> socket.socket:
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
    document = {**own.document(), "version": __version__, "socket": str(path), "url": url}
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tutelage.supervisor")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--behind-proxy", action="store_true")
    parser.add_argument("--allowed-host", action="append", default=[])
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _listening(given: argparse.Namespace) -> Listening | None:
    if not given.serve:
        return None
    return Listening(
        host=given.host,
        port=given.port,
        tls_cert=given.tls_cert,
        tls_key=given.tls_key,
        behind_proxy=given.behind_proxy,
        allowed_hosts=tuple(given.allowed_host),
    )


def _start_logging(files: HomeFiles, *, in_foreground: bool) -> None:
    """Log to the stream that the starter gave; in the foreground to the home's file, and trouble to the terminal."""
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if in_foreground:
        handlers[0].setLevel(logging.WARNING)
        handlers.append(logging.FileHandler(files.supervisor_log))
    for handler in handlers:
        handler.addFilter(RedactingFilter())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", handlers=handlers)
    for name in ("alembic", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
