"""`tutelage run -- COMMAND`: a script of the user's own becomes an operation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from tutelage.interfaces.cli.options import AsJson

FORWARDED = (
    *("PATH", "HOME", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"),
    *("HF_HOME", "HF_HUB_OFFLINE", "TORCH_HOME", "XDG_CACHE_HOME"),
)
"""Environment variables that the script gets as they are here; others by --env NAME."""


def run(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="The program and its arguments.")],
    name: Annotated[str | None, typer.Option("--name", "-n", help="A name for people.")] = None,
    env: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="NAME[=VALUE]", help="Also give it this variable; kept in the spec."),
    ] = None,
    cpus: Annotated[int, typer.Option("--cpus", min=1, help="CPUs to reserve.")] = 1,
    memory_gib: Annotated[float, typer.Option("--memory-gib", min=0.1, help="Memory to reserve.")] = 4.0,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Start it and return.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train with your own script: watched, judged, stopped and resumed like any service."""
    from tutelage.interfaces.cli.session import session
    from tutelage.interfaces.cli.train import afterwards

    document = {
        "service": "script",
        "name": name or " ".join(Path(part).name for part in command)[:80],
        "config": {"command": command, "working_dir": os.getcwd(), "env": _environment(env or [])},
        "resources": {"cpus": cpus, "memory_gib": memory_gib},
    }
    with session(new_home=True) as client:
        operation = client.submit(document)
        raise typer.Exit(afterwards(client, operation, follow=not detach, output=None, as_json=as_json))


def _environment(asked: list[str]) -> dict[str, str]:
    given = dict(item.partition("=")[::2] for item in asked if "=" in item)
    names = (*FORWARDED, *(item for item in asked if "=" not in item))
    return {**{name: os.environ[name] for name in names if name in os.environ}, **given}
