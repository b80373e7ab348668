"""Short-lived workers that talk over their pipes, a JSON document a line: use of a model, a look at data, a command."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from tutelage.core.errors import NotSupported, unknown
from tutelage.core.layout import HomeFiles
from tutelage.core.service import load
from tutelage.core.spec import Spec
from tutelage.services.registry import Registry
from tutelage.settings import load_settings
from tutelage.worker.train import describe

INSPECT_MEMORY_GIB = 4


def serve_use(home: Path, operation: str) -> int:
    """Answer requests to a finished model until the input ends."""
    channel = _take_stdout()
    files = HomeFiles(home).operation(operation)
    spec = Spec.model_validate_json(files.spec.read_bytes())
    service = Registry(load_settings(home).services).get(spec.service)
    if service.use is None:
        raise NotSupported(f"models of {service.name} cannot be used")
    _limit_memory(spec.resources.memory_gib)
    config = load(service.config).model_validate(spec.config)
    requests = _Requests()
    while not requests.ended:
        try:
            load(service.use)(files.root, config, iter(requests), lambda answer: _send(channel, answer))
        except Exception as error:  # noqa: BLE001  the process's edge: the error is the answer, the next request may do
            _send(channel, {"error": describe(error)})
    return 0


def serve_inspect(home: Path, service_name: str) -> int:
    """Answer one request to look at data."""
    channel = _take_stdout()
    _limit_memory(INSPECT_MEMORY_GIB)
    request = json.loads(sys.stdin.readline())
    try:
        service = Registry(load_settings(home).services).get(service_name)
        if service.inspect is None:
            raise NotSupported(f"{service_name} has no data to inspect")
        _send(channel, load(service.inspect)(request))
    except Exception as error:  # noqa: BLE001  the process's edge: the error is the answer
        _send(channel, {"error": describe(error)})
    return 0


def serve_command(home: Path, service_name: str, name: str) -> int:
    """Run one of a service's own commands; its arguments come as a JSON document."""
    channel = _take_stdout()
    given = json.loads(sys.stdin.readline())
    try:
        commands = Registry(load_settings(home).services).get(service_name).commands
        if name not in commands:
            raise unknown("command", name, commands)
        arguments = load(commands[name].arguments).model_validate(given)
        _send(channel, load(commands[name].run)(arguments))
    except Exception as error:  # noqa: BLE001  the process's edge: the error is the answer
        _send(channel, {"error": describe(error)})
    return 0


class _Requests:
    """The lines of standard input, as requests; `ended` once there are no more."""

    def __init__(self) -> None:
        self.ended = False

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for line in iter(sys.stdin.readline, ""):
            yield json.loads(line)
        self.ended = True


def _take_stdout() -> IO[str]:
    """Keep standard output for answers alone; whatever libraries print goes to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


def _send(channel: IO[str], answer: Mapping[str, Any]) -> None:
    channel.write(json.dumps(answer, allow_nan=False) + "\n")
    channel.flush()


def _limit_memory(memory_gib: float) -> None:
    """Bound the address space: data and models from users are opened under it."""
    limit = int((memory_gib + 2) * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
