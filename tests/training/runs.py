"""Real runs in this process: files in a folder, events read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.training.digits import SERVICE

from tutelage.core.commands import Command, Verb
from tutelage.core.events import Draft, EventKind, decode_line
from tutelage.core.layout import OperationFiles
from tutelage.core.numbers import from_json_number
from tutelage.run import FileRun


@contextmanager
def attempt_in(folder: Path, *commands: Command, seed: int = 3) -> Iterator[FileRun]:
    """Begin the next attempt of the operation in a folder; it finds `commands` waiting."""
    files = OperationFiles(folder)
    number = len(list(files.events.glob("*"))) + 1 if files.events.is_dir() else 1
    files.root.mkdir(parents=True, exist_ok=True)
    files.commands.write_text("".join(json.dumps(command.line()) + "\n" for command in commands))
    run = FileRun(files=files, service=SERVICE, attempt=number, seed=seed)
    run.begin()
    try:
        yield run
    finally:
        run.close()


def command(verb: Verb, **args: Any) -> Command:
    return Command(id=f"dec_{verb}", verb=verb, args=args, reason="the test asks")


def ask(folder: Path, asked: Command) -> None:
    """Have a live run hear a command."""
    with OperationFiles(folder).commands.open("a") as file:
        file.write(json.dumps(asked.line()) + "\n")


def events(folder: Path, *kinds: EventKind) -> list[Draft]:
    """Return the events of all attempts, in order."""
    found = []
    for number, path in enumerate(sorted(OperationFiles(folder).events.iterdir()), 1):
        lines = path.read_bytes().splitlines(keepends=True)
        found += [decode_line(line, attempt=number, offset=0) for line in lines]
    return [event for event in found if not kinds or event.kind in kinds]


def curve(folder: Path, metric: str) -> dict[int, float]:
    """Return a metric's points in force by step."""
    return {
        event.step: float(from_json_number(event.data["values"][metric]))
        for event in events(folder, EventKind.METRIC)
        if event.step is not None and metric in event.data.get("values", {})
    }


def answers(folder: Path) -> list[tuple[str, str, int | None]]:
    """Return the answers to commands as (verb, status, step)."""
    return [(event.data["verb"], event.data["status"], event.step) for event in events(folder, EventKind.APPLIED)]


def logged(folder: Path) -> str:
    return "\n".join(event.data["text"] for event in events(folder, EventKind.LOG))
