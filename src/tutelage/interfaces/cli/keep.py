"""`hosts`, `rm` and `gc`: the machine and the home."""

from __future__ import annotations

from typing import Annotated

import typer

from tutelage.interfaces.cli.options import AsJson, OperationIds


def hosts(as_json: AsJson = False) -> None:
    """List the machines that train, and what is free."""
    from tutelage.interfaces.cli import tables
    from tutelage.interfaces.cli.session import print_json, session
    from tutelage.interfaces.cli.terminal import say

    with session(new_home=True) as client:
        found = client.hosts()
    print_json(found) if as_json else say(tables.hosts(found))


def rm(operation_ids: OperationIds, as_json: AsJson = False) -> None:
    """Remove ended operations with their files; their decisions stay in the ledger."""
    from tutelage.interfaces.cli.session import find, print_json, session
    from tutelage.interfaces.cli.terminal import say

    with session() as client:
        found = [find(client, text) for text in operation_ids]
        for operation_id in found:
            client.delete(operation_id)
            if not as_json:
                say(f"Removed {operation_id}")
    if as_json:
        print_json({"removed": found})


def gc(
    older_than: Annotated[str, typer.Option("--older-than", metavar="AGE", help="As in 30d, 12h, 45min.")] = "30d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what ended long ago, and checkpoints that nothing needs."""
    from tutelage.interfaces.cli import words
    from tutelage.interfaces.cli.errors import usage_error
    from tutelage.interfaces.cli.session import print_json, session
    from tutelage.interfaces.cli.terminal import say

    try:
        older_than_s = words.seconds_of(older_than)
    except ValueError as error:
        raise usage_error(f"--older-than: {error}") from None
    with session() as client:
        report = client.gc(older_than_s=older_than_s, dry_run=dry_run)
    if as_json:
        return print_json(report)
    verb = "Would remove" if report.dry_run else "Removed"
    counted = f"{words.plural(len(report.operations), 'operation')}, {words.plural(report.checkpoints, 'checkpoint')}"
    say(f"{verb} {counted}, {words.size(report.bytes)}")
    return say(*(f"  {operation_id}" for operation_id in report.operations))
