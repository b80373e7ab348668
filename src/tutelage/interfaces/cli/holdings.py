"""`edit`, `checkpoints`, `models`, `upload`: what a run is called, what it keeps, what can be used, what is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tutelage.interfaces.cli.options import AsJson, OperationId


def edit(
    operation_id: OperationId,
    name: Annotated[str | None, typer.Option("--name", "-n", help="Another name.")] = None,
    notes: Annotated[str | None, typer.Option(help="Free text.")] = None,
    tags: Annotated[
        list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="Replaces all tags; may be given again.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change name, notes or tags of an operation."""
    from tutelage.core.wire import OperationPatch
    from tutelage.interfaces.cli.errors import usage_error
    from tutelage.interfaces.cli.session import find, print_json, session
    from tutelage.interfaces.cli.terminal import say

    changes = {"name": name, "notes": notes, "tags": _tags(tags) if tags else None}
    given = {key: value for key, value in changes.items() if value is not None}
    if not given:
        raise usage_error("nothing to change", "give --name, --notes or --tag KEY=VALUE")
    with session() as client:
        changed = client.update(find(client, operation_id), OperationPatch.model_validate(given))
    print_json(changed) if as_json else say(f"Changed {', '.join(given)} of {changed.id}")


def checkpoints(operation_id: OperationId, as_json: AsJson = False) -> None:
    """List the resumable states of an operation."""
    from tutelage.interfaces.cli import words
    from tutelage.interfaces.cli.session import find, print_json, session
    from tutelage.interfaces.cli.terminal import say, table

    with session() as client:
        found = client.checkpoints(find(client, operation_id))
    if as_json:
        return print_json(found)
    rows = table("step", "made", "size", "metrics", "", right=["step", "size"], wide=["metrics"])
    for item in found:
        metrics = ", ".join(f"{key} {words.number(value)}" for key, value in item.metrics.items())
        made = words.age(words.since(item.created_at))
        rows.add_row(f"{item.step:,}", made, words.size(item.bytes), metrics, "best" if item.best else "")
    return say(rows if found else "No checkpoint is kept.")


def models(as_json: AsJson = False) -> None:
    """List the finished models that can be used."""
    from tutelage.interfaces.cli import words
    from tutelage.interfaces.cli.session import print_json, session
    from tutelage.interfaces.cli.terminal import say, table

    with session() as client:
        found = client.models()
    if as_json:
        return print_json(found)
    rows = table("id", "name", "service", "best", "made", wide=["name"])
    for item in found:
        best = f"{item.best.metric} {words.number(item.best.value)}" if item.best else ""
        rows.add_row(words.short(item.operation), item.name, item.service, best, words.age(words.since(item.ended_at)))
    return say(rows if found else "No model can be used yet.")


def upload(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files to send.", exists=True, dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Send files to the server; a spec may then name the paths that it answers."""
    from tutelage.interfaces.cli.session import print_json, session
    from tutelage.interfaces.cli.terminal import say

    with session(new_home=True) as client:
        sent = [client.upload(path) for path in files]
    print_json(sent) if as_json else say(*(item.path for item in sent))


def _tags(given: list[str]) -> dict[str, str]:
    return {key: value for key, _, value in (text.partition("=") for text in given)}
