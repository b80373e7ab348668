"""An environment in a child process, watched: one that hangs is ended, one that dies is named.

The child tells by shared memory which copy it is about to call; an answer that does not come while nothing moves there
for the timeout is a hang.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from tutelage.core.errors import DamagedFile, InvalidSpec, MissingDependency, TrainingError
from tutelage.services.agents.environments.base import About, Actions, Observation, Step
from tutelage.services.agents.environments.failures import EnvironmentFailed, failed

CHILD = "tutelage.services.agents.environments.child"
STEP_S = 30.0
START_S = 120.0
END_S = 2.0
LOOK_S = 1.0
PROGRESS = struct.Struct("<qqq")
"""Calls so far, the copy that is called, the step of its episode."""

KINDS = {kind.code: kind for kind in (EnvironmentFailed, InvalidSpec, MissingDependency, DamagedFile, TrainingError)}


class Supervised:
    """A batched environment whose copies live in one child process.

    `builder` is the dotted path of what builds it there, called with `arguments` and `watch`. Every method raises
    EnvironmentFailed where the child dies or hangs; it is gone then, and so are its episodes.
    """

    def __init__(
        self,
        builder: str,
        arguments: Mapping[str, Any],
        *,
        name: str,
        step_timeout_s: float = STEP_S,
        start_timeout_s: float = START_S,
    ) -> None:
        for setting, value in (("step_timeout_s", step_timeout_s), ("start_timeout_s", start_timeout_s)):
            if not value > 0:
                raise InvalidSpec(f"{setting} must be above 0, got {value}", hint="it is in seconds")
        self._name, self._timeout_s = name, step_timeout_s
        self._memory = os.memfd_create("progress")
        os.ftruncate(self._memory, PROGRESS.size)
        self._progress = mmap.mmap(self._memory, PROGRESS.size)
        ours, theirs = socket.socketpair()
        with theirs:
            handed = (theirs.fileno(), self._memory)
            self._process = subprocess.Popen(  # its prints go to the log, as this process may speak by its own output
                [sys.executable, "-m", CHILD, *map(str, handed), str(os.getpid())],
                pass_fds=handed,
                stdin=subprocess.DEVNULL,
                stdout=2,
            )
        self._connection = Connection(ours.detach())
        self.about: About
        self.about, self.num, self.keeps_state = self._ask("build", (builder, dict(arguments)), start_timeout_s)

    def reset(self) -> Observation:
        """Begin anew in every copy."""
        observation: Observation = self._ask("reset")
        return observation

    def step(self, actions: Actions) -> Step:
        """Take one step in every copy."""
        step: Step = self._ask("step", (actions,))
        return step

    def observe(self) -> Observation:
        """Return what the agents see now; after a reset or a restored state."""
        observation: Observation = self._ask("observe")
        return observation

    def state_dict(self) -> dict[str, Any]:
        """Return what the child's environment keeps."""
        state: dict[str, Any] = self._ask("state_dict")
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Have the child's environment take back what `state_dict` returned."""
        self._ask("load_state_dict", (dict(state),))

    def scene(self, copy: int) -> dict[str, Any]:
        """Describe one copy."""
        scene: dict[str, Any] = self._ask("scene", (copy,))
        return scene

    def close(self) -> None:
        """End the child; one that does not end by itself is killed."""
        if self._connection.closed:
            return
        with contextlib.suppress(OSError):
            self._connection.send(("close", ()))
        self._connection.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._progress.close()
        os.close(self._memory)

    def _ask(self, what: str, arguments: tuple[Any, ...] = (), timeout_s: float | None = None) -> Any:
        if self._connection.closed:
            raise EnvironmentFailed(f"the environment {self._name!r} has ended", hint="build it anew")
        try:
            self._connection.send((what, arguments))
            self._await(what, timeout_s or self._timeout_s)
            is_well, answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
        if not is_well:
            code, message, hint = answer
            self.close()
            raise KINDS.get(code, EnvironmentFailed)(message, hint=hint)
        return answer

    def _await(self, what: str, timeout_s: float) -> None:
        """Wait for an answer as long as something moves; end a child that hangs. Raises EnvironmentFailed then."""
        before, since_s = self._where(), time.monotonic()
        while not self._connection.poll(min(timeout_s / 4, LOOK_S)):
            now = self._where()
            if now != before and what != "build":
                before, since_s = now, time.monotonic()
            elif time.monotonic() - since_s >= timeout_s:
                self._process.kill()
                self.close()
                raise self._hung(what, timeout_s, now)

    def _hung(self, what: str, timeout_s: float, where: tuple[int, int, int]) -> EnvironmentFailed:
        setting = "start_timeout_s" if what == "build" else "step_timeout_s"
        return failed(
            self._name,
            copy=where[1],
            step=where[2],
            got=f"no answer to {what!r} within {timeout_s:g} s",
            expected="one in time",
            hint=f"correct what hangs, or raise environment.kwargs.{setting}; then resume: the last checkpoint is kept",
        )

    def _lost(self) -> EnvironmentFailed:
        _, copy, step = self._where()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        code = self._process.poll()
        how = "closed its connection" if code is None else f"ended with {_ending(code)}"
        self.close()
        return failed(
            self._name, copy=copy, step=step, got=f"a process that {how}", expected="an answer", hint="see the log"
        )

    def _where(self) -> tuple[int, int, int]:
        calls, copy, step = PROGRESS.unpack(self._progress[: PROGRESS.size])
        return calls, copy, step


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
