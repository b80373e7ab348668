"""The process in which an environment that is not ours runs: builds it, then answers one request after the other."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any

from tutelage.core.errors import TutelageError
from tutelage.core.service import load
from tutelage.services.agents.environments.supervised import PROGRESS

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Serve the connection until it closes; `arguments` are its descriptor, that of the progress, the parent's pid."""
    descriptor, memory, parent = map(int, arguments)
    _die_with(parent)
    progress = mmap.mmap(memory, PROGRESS.size)
    calls = 0

    def watch(copy: int, step: int) -> None:
        nonlocal calls
        calls += 1
        progress[: PROGRESS.size] = PROGRESS.pack(calls, copy, step)

    connection, environment = Connection(descriptor), None
    while True:
        try:
            what, given = connection.recv()
        except EOFError:
            return
        if what == "close":
            if environment is not None:
                environment.close()
            return
        try:
            if what == "build":
                builder, options = given
                environment = load(builder)(**options, watch=watch)
                answer: Any = (environment.about, environment.num, environment.keeps_state)
            else:
                answer = getattr(environment, what)(*given)
        except TutelageError as error:
            connection.send((False, (error.code, error.message, error.hint)))
        else:
            connection.send((True, answer))


def _die_with(parent: int) -> None:
    """Have the system end this process with its parent, also in a hang; one orphaned before that ends at once."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
