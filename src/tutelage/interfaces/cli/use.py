"""`artifacts` and `predict`: what a finished operation is good for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutelage.interfaces.cli.options import AsJson, OperationId, Output

if TYPE_CHECKING:
    from tutelage.client import Client
    from tutelage.core.wire import UseAnswer

SHOWN_ROWS = 20


def artifacts(
    operation_id: OperationId,
    get: Annotated[str | None, typer.Option("--get", metavar="NAME", help="Fetch this file.")] = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """List the files an operation produced, or fetch one."""
    from tutelage.interfaces.cli.errors import usage_error
    from tutelage.interfaces.cli.session import find, print_json, session
    from tutelage.interfaces.cli.show import files
    from tutelage.interfaces.cli.terminal import say

    if output and not get:
        raise usage_error("--output needs --get NAME", hint="without --get the files are listed")
    with session() as client:
        found = find(client, operation_id)
        if get:
            return _fetch(client, found, get, output)
        listed = client.artifacts(found)
    if as_json:
        return print_json(listed)
    return say(files(listed) if listed else "No files yet.")


def predict(
    operation_id: OperationId,
    data: Annotated[
        str | None,
        typer.Argument(metavar="[DATA]", help="A table: a file, a folder, a query, or sklearn:NAME."),
    ] = None,
    row: Annotated[
        list[str] | None, typer.Option("--row", metavar="JSON", help="One row as an object; may be given again.")
    ] = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Ask a finished model."""
    from tutelage.client import with_uploads
    from tutelage.core.wire import UseRequest
    from tutelage.interfaces.cli import predictions
    from tutelage.interfaces.cli.session import find, note, print_json, session
    from tutelage.interfaces.cli.terminal import say

    request = _request(data, row or [])
    with session() as client:
        found = find(client, operation_id)
        answer = client.use(found, UseRequest(data=with_uploads(client, request)))
    for warning in _warnings(answer):
        note(f"Warning: {warning}")
    if output is not None:
        predictions.write_csv(answer.data, output)
    if as_json:
        return print_json(answer)
    if output is not None:
        return say(f"Wrote {len(predictions.rows(answer.data)):,} rows to {output}")
    return say(*predictions.shown(answer.data, limit=SHOWN_ROWS))


def _request(data: str | None, rows: list[str]) -> dict[str, Any]:
    """Return the tabular service's request. Raises InvalidSpec unless data or rows were given, and not both."""
    from tutelage.core.paths import absolute_paths
    from tutelage.interfaces.cli.errors import usage_error

    if (data is None) == (not rows):
        raise usage_error("give either a data file or --row JSON", hint='as in --row \'{"age": 42, "income": 3100}\'')
    if data is not None:
        found: dict[str, Any] = absolute_paths({"dataPath": data}, Path.cwd())
        return found
    try:
        return {"rows": [json.loads(text) for text in rows]}
    except ValueError as error:
        raise usage_error(f"--row is not valid JSON: {error}") from None


def _fetch(client: Client, operation_id: str, name: str, output: Path | None) -> None:
    from tutelage.interfaces.cli.terminal import say
    from tutelage.interfaces.cli.words import size

    target = client.download(operation_id, name, output or Path(Path(name).name))
    say(f"Wrote {target} ({size(target.stat().st_size)})")


def _warnings(answer: UseAnswer) -> list[str]:
    found = answer.data.get("warnings")
    return [str(item) for item in found] if isinstance(found, list) else []
