"""Runs the script as a child of the worker: its reports become the operation's, commands reach it."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.attach import ADDRESS
from tutelage.core.commands import ENDING, Command, Verb
from tutelage.core.errors import TrainingError
from tutelage.core.ports import Run
from tutelage.services.script import launch
from tutelage.services.script.channel import Channel
from tutelage.services.script.config import ScriptConfig

LOOK_EVERY_S = 0.1
UNCONNECTED_S = 5.0
KILL_AFTER_S = 5.0
SPOOL = "spool"


class ScriptFailed(TrainingError):
    """The script ended with an error of its own."""

    code = "script_failed"


def train(config: ScriptConfig, run: Run) -> Mapping[str, Any] | None:
    """Run the script to its end; None when it was paused or cancelled."""
    if not Path(config.working_dir).is_dir():
        raise ScriptFailed(f"there is no folder {config.working_dir}", hint="give the folder the script runs in")
    script = Script(config, run)
    try:
        return script.run()
    finally:
        script.close()


class Script:
    """One run of the user's program."""

    def __init__(self, config: ScriptConfig, run: Run) -> None:
        self._config, self._run = config, run
        self._spool = run.dir / SPOOL
        self._lock = threading.Lock()
        self._step: int | None = None
        self._latest: dict[str, float] = {}
        self._result: dict[str, Any] = {}
        self._ending: Command | None = None
        self._asked_s = 0.0
        self._wanted: list[Command] = []
        self._num_checkpoints = 0
        resumed = run.resume()
        hello = {
            "id": run.id,
            "seed": run.seed,
            "attempt": run.attempt,
            "settings": config.settings,
            "resume": str(resumed) if resumed else None,
            "artifacts": str(run.dir / "artifacts"),
            "spool": str(self._spool),
        }
        self._resumed = resumed
        self._channel = Channel(hello, self._take, warn=lambda text: run.log(text, level="warning"))

    def run(self) -> Mapping[str, Any] | None:
        """Start the program, pass commands to it, and return the result once it has ended."""
        self._run.phase("training")
        process = self._start()
        while process.poll() is None:
            self._pass_commands()
            self._end_overdue(process)
            try:
                process.wait(LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                continue
        self._channel.close()
        return self._concluded(process.returncode)

    def close(self) -> None:
        """Remove what was in transit."""
        self._channel.close()
        shutil.rmtree(self._spool, ignore_errors=True)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, launch.__file__, str(os.getpid()), *self._config.command]
        env = {**os.environ, **self._config.env, ADDRESS: str(self._channel.address)}
        return subprocess.Popen(command, cwd=self._config.working_dir, env=env, stdin=subprocess.DEVNULL)

    def _take(self, message: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Make a report of the script one of the operation."""
        with self._lock:
            return getattr(self, f"_on_{message['do']}")(message)  # type: ignore[no-any-return]

    def _on_metric(self, message: Mapping[str, Any]) -> None:
        values = dict(message["values"])
        reporter = self._run.scope(message["scope"]) if message["scope"] else self._run
        reporter.metric(message["step"], values)
        if not message["scope"]:
            self._step = message["step"]
            self._latest.update(values)

    def _on_define(self, message: Mapping[str, Any]) -> None:
        self._run.define(message["metric"], **message["declared"])

    def _on_log(self, message: Mapping[str, Any]) -> None:
        self._run.log(message["text"], level=message["level"])

    def _on_progress(self, message: Mapping[str, Any]) -> None:
        self._run.progress(message["done"], message["total"], message=message["message"])

    def _on_phase(self, message: Mapping[str, Any]) -> None:
        self._run.phase(message["name"])

    def _on_finish(self, message: Mapping[str, Any]) -> None:
        self._result.update(message["result"])

    def _on_checkpoint(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        source = Path(message["folder"])
        assert source.is_relative_to(self._spool), "a checkpoint comes from the spool"

        def save(folder: Path) -> None:
            for item in source.iterdir():
                shutil.move(item, folder / item.name)

        metrics = dict(message["metrics"])
        written = self._run.checkpoint(message["step"], save, metrics)
        shutil.rmtree(source, ignore_errors=True)
        if written is not None:
            self._num_checkpoints += 1
            for command in self._wanted:
                self._run.applied(command, step=message["step"])
            self._wanted.clear()
        return {"say": "kept", "number": message["number"], "path": str(written) if written else None}

    def _pass_commands(self) -> None:
        while (command := self._run.next_command()) is not None:
            if command.verb in ENDING:
                self._ending, self._asked_s = command, time.monotonic()
                self._channel.say({"say": "ending", "verb": str(command.verb)})
            elif command.verb is Verb.CHECKPOINT and self._channel.is_connected:
                self._wanted.append(command)
                self._channel.say({"say": "checkpoint"})
            else:
                self._run.refused(command, reason="the script has not asked for its run: it cannot hear this")

    def _end_overdue(self, process: subprocess.Popen[bytes]) -> None:
        """Terminate, then kill, a script that does not end after it was asked to."""
        if self._ending is None:
            return
        waited_s = time.monotonic() - self._asked_s
        patience_s = self._config.end_timeout if self._channel.is_connected else UNCONNECTED_S
        if waited_s > patience_s + KILL_AFTER_S:
            process.kill()
        elif waited_s > patience_s:
            process.send_signal(signal.SIGTERM)

    def _concluded(self, code: int) -> Mapping[str, Any] | None:
        for command in self._wanted:
            self._run.refused(command, reason="the script ended before it wrote a checkpoint")
        if self._ending is None:
            if code != 0:
                raise ScriptFailed(_said(code), hint="`tutelage logs ID` shows what it printed")
            return self._document(code)
        has_checkpoint = self._num_checkpoints > 0 or self._resumed is not None
        lost = "" if has_checkpoint or self._ending.verb is Verb.STOP else "it has no checkpoint: it starts anew"
        self._run.applied(self._ending, step=self._step, detail=lost)
        return self._document(code) if self._ending.verb is Verb.STOP else None

    def _document(self, code: int) -> Mapping[str, Any]:
        latest = {name: value for name, value in self._latest.items() if math.isfinite(value)}
        return {
            **self._result,
            "success": True,
            "exitCode": code,
            "lastStep": self._step,
            "metrics": {"latest": latest},
        }


def _said(code: int) -> str:
    if code < 0:
        return f"the script was ended by signal {-code} ({signal.Signals(-code).name})"
    if code == launch.NOT_FOUND:
        return f"the script's program was not found (exit code {code})"
    return f"the script ended with exit code {code}"
