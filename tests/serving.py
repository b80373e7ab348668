"""A `tutelage serve` of its own for a test: its address, its login link, a token of each scope."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support import FAKE, end_processes
from tutelage.client import connect
from tutelage.core.access import Scope, TokenRequest
from tutelage.settings import Settings


@dataclass
class Served:
    """A server that answers on TCP and on its Unix socket."""

    home: Path
    url: str
    login: str
    process: subprocess.Popen[str]
    tokens: dict[Scope, str] = field(default_factory=dict)

    def http(self, scope: Scope | None = Scope.ADMIN, **headers: str) -> httpx.Client:
        """Return an HTTP client with the token of a scope, or without one."""
        given = {"Authorization": f"Bearer {self.tokens[scope]}"} if scope else {}
        return httpx.Client(base_url=self.url, headers={**given, **headers}, timeout=60, trust_env=False)

    def ask(self, method: str, path: str, *, scope: Scope | None = Scope.ADMIN, **given: Any) -> httpx.Response:
        """Send one request with the token of a scope, or without one."""
        with self.http(scope) as http:
            return http.request(method, path, **given)

    def end(self) -> int:
        """Ask the server to end, as Ctrl-C does, and return its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


def environment_of(home: Path, **changes: str) -> dict[str, str]:
    """Return the environment of commands on a home with the fake service."""
    return {
        **os.environ,
        "TUTELAGE_HOME": str(home),
        "TUTELAGE_SERVICES": json.dumps(FAKE),
        "TUTELAGE_CPUS": "4",
        "TUTELAGE_MEMORY_GIB": "64",
        "TUTELAGE_GRACE_S": "1",
        **changes,
    }


@contextmanager
def served_at(home: Path, *options: str, **environment: str) -> Iterator[Served]:
    """Yield a server on any free port, with a token for each scope."""
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tutelage", "serve", "--port", "0", "--json", *options]
    process = subprocess.Popen(
        command, env=environment_of(home, **environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        told = json.loads(line)
        served = Served(home=home, url=told["url"], login=told["login"], process=process)
        with connect(Settings(home=home, services=FAKE), start=False) as client:
            for scope in Scope:
                request = TokenRequest(name=f"{scope}-bot", kind="agent", scope=scope)
                served.tokens[scope] = client.create_token(request).secret
        yield served
    finally:
        process.kill()
        process.communicate()
        end_processes(home)
