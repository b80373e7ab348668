"""Workers on this machine: each in its own POSIX session, with its own environment, outliving the supervisor."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tutelage.core.layout import HomeFiles
from tutelage.core.spec import Resources
from tutelage.executors.local.process import ProcessId
from tutelage.settings import exporter_environment, worker_environment

LOCK_HELD = 75
"""Exit code of a second worker that found the fence held; it does not count as an attempt."""


class LocalExecutor:
    """Starts worker processes and remembers those it started, to reap them and read their exit codes."""

    def __init__(self, files: HomeFiles, *, services: Mapping[str, str]) -> None:
        self._files = files
        self._services = services
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, operation: str, attempt: int, *, resources: Resources) -> ProcessId:
        """Start a worker for one attempt; its output goes to the operation's log."""
        arguments = ["--operation", operation, "--attempt", str(attempt)]
        log = self._files.operation(operation).log
        with log.open("ab") as output:
            child = self._popen(arguments, resources=resources, output=output.fileno())
        self._children[child.pid] = child
        identity = ProcessId.of(child.pid)
        return identity or ProcessId(pid=child.pid, started=-1.0, boot="gone")

    def exit_code(self, process: ProcessId) -> int | None:
        """Return the exit code of a child of ours that ended (negative: the signal), else None."""
        child = self._children.get(process.pid)
        if child is None:
            return None
        code = child.poll()
        if code is not None:
            del self._children[process.pid]
        return code

    def is_alive(self, process: ProcessId) -> bool:
        """Tell whether the worker runs.

        A child of ours lives until it can be reaped: a killed process whose threads are still ending looks like a
        zombie, but has no exit code yet.
        """
        child = self._children.get(process.pid)
        return process.is_alive() if child is None else child.poll() is None

    def terminate(self, process: ProcessId, *, kill: bool) -> None:
        """Ask the worker and everything it started to end, or kill them."""
        process.signal_group(signal.SIGKILL if kill else signal.SIGTERM)

    def helper(self, arguments: Sequence[str], *, resources: Resources) -> subprocess.Popen[bytes]:
        """Start a helper worker that talks over its pipes: `use`, `inspect`."""
        return self._popen(arguments, resources=resources, output=None)

    def export(self, operation: str) -> subprocess.Popen[bytes]:
        """Start the exporter of one operation, in a session of its own: it ends by itself, with or without us."""
        log = self._files.operation(operation).tracking_log
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "tutelage.tracking", "--home", str(self._files.root), "--operation", operation],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=exporter_environment(home=self._files.root),
                cwd=self._files.root,
            )

    def _popen(self, arguments: Sequence[str], *, resources: Resources, output: int | None) -> subprocess.Popen[bytes]:
        piped = output is None
        return subprocess.Popen(
            [sys.executable, "-m", "tutelage.worker", "--home", str(self._files.root), *arguments],
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else output,
            stderr=subprocess.PIPE if piped else output,
            start_new_session=True,
            env=worker_environment(home=self._files.root, cpus=resources.cpus, services=self._services),
            cwd=self._files.root,
        )


def be_the_first_to_go() -> None:
    """Make the kernel's out-of-memory killer take this process before the supervisor."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
