"""`act`: actions of finished policies, an observation a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any, TextIO

import typer

from tutelage.interfaces.cli.options import AsJson, OperationId


def act(
    operation_id: OperationId,
    observation: Annotated[
        list[str] | None,
        typer.Option("--observation", "-o", metavar="JSON", help="What the agent sees; may be given again."),
    ] = None,
    agent: Annotated[str | None, typer.Option(help="Which agent acts; default the first.")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Act by chance, as in training.")] = False,
    seed: Annotated[int | None, typer.Option(help="Which seed's policies act; default the best one's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let finished policies act: JSON observations in, a line each; JSON answers out.

    Without --observation the lines of standard input are read: a list of numbers, or an object with "observation".
    """
    from tutelage.core.wire import UseRequest
    from tutelage.interfaces.cli.session import find, session

    given: dict[str, Any] = {"agent": agent, "seed": seed, **({"sample": True} if sample else {})}
    common = {name: value for name, value in given.items() if value is not None}
    with session() as client:
        found = find(client, operation_id)
        for number, line in enumerate(_lines(observation, sys.stdin), 1):
            request = {**common, **_request(line, number)}
            answer = client.use(found, UseRequest(data=request))
            print(answer.model_dump_json() if as_json else json.dumps(answer.data), flush=True)


def _lines(given: list[str] | None, source: TextIO) -> Iterator[str]:
    yield from given if given else (line for line in source if line.strip())


def _request(line: str, number: int) -> dict[str, Any]:
    from tutelage.interfaces.cli.errors import usage_error

    try:
        read = json.loads(line)
    except ValueError as error:
        raise usage_error(f"observation {number} is not valid JSON: {error}") from None
    if isinstance(read, list):
        return {"observation": read}
    if isinstance(read, dict):
        return read
    raise usage_error(f"observation {number} is neither a list nor an object", hint="as in [0.1, 0.2, -0.3, 0.0]")
