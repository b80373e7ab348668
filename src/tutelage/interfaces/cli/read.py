"""Commands that read one operation, or put several side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutelage.interfaces.cli.options import AsJson, OperationId, OperationIds

if TYPE_CHECKING:
    from tutelage.core.wire import Decision

SPARK_POINTS = 240
PRINTED_POINTS = 24


def show(
    operation_id: OperationId,
    why: Annotated[bool, typer.Option("--why", help="Evidence, checks, last decision, what to do.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one operation: state, verdict, curve, figures."""
    from tutelage.interfaces.cli import show as showing
    from tutelage.interfaces.cli.session import find, print_json, session
    from tutelage.interfaces.cli.terminal import out, say

    with session() as client:
        operation = client.operation(find(client, operation_id), spark=0 if as_json else SPARK_POINTS)
        if as_json:
            return print_json(operation)
        say(*showing.lines(operation, width=out().width))
        if why:
            say(*showing.why(operation, client.decisions(operation.id)))
        elif operation.ended_at:
            say(*showing.ending(operation, client.artifacts(operation.id)))
    return None


def metrics(
    operation_id: OperationId,
    scope: Annotated[str, typer.Option(help="Where inside the operation, as in trial=12/fold=3.")] = "",
    keys: Annotated[str, typer.Option(help="Names of metrics, separated by commas; default: all.")] = "",
    first: Annotated[int | None, typer.Option("--from", help="First step.")] = None,
    last: Annotated[int | None, typer.Option("--to", help="Last step.")] = None,
    points: Annotated[int | None, typer.Option(help="About how many rows.", min=2, max=100_000)] = None,
    all_attempts: Annotated[bool, typer.Option("--all-attempts", help="Superseded points, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the curves of one scope, outer-joined by step."""
    from tutelage.interfaces.cli import tables
    from tutelage.interfaces.cli.session import find, print_json, session
    from tutelage.interfaces.cli.terminal import say

    with session() as client:
        found = find(client, operation_id)
        history = client.metrics(
            found,
            scope=scope,
            keys=tuple(key.strip() for key in keys.split(",") if key.strip()),
            from_step=first,
            to_step=last,
            points=points or (1000 if as_json else PRINTED_POINTS),
            all_attempts=all_attempts,
        )
        if as_json:
            return print_json(history)
        scopes = client.operation(found).metrics.scopes if not history.steps else []
        say(*tables.history(history, scopes))
    return None


def compare(operation_ids: OperationIds, as_json: AsJson = False) -> None:
    """Put operations side by side: figures, and the settings that differ."""
    from tutelage.interfaces.cli import tables
    from tutelage.interfaces.cli.session import find, print_json, session
    from tutelage.interfaces.cli.terminal import say

    with session() as client:
        comparison = client.compare(tuple(find(client, text) for text in operation_ids))
    if as_json:
        return print_json(comparison)
    return say(*tables.comparison(comparison))


def decisions(
    operation_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One operation; default: all.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check the chain of hashes.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As a Markdown document.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the ledger: who decided what, why, and what followed."""
    from tutelage.interfaces.cli import tables
    from tutelage.interfaces.cli.session import find, print_json, session
    from tutelage.interfaces.cli.terminal import say

    with session() as client:
        if verify:
            state = client.verify_ledger()
            print_json(state) if as_json else say(tables.ledger_state(state.entries, state.first_broken))
            raise typer.Exit(0 if state.first_broken is None else 1)
        entries = client.decisions(find(client, operation_id) if operation_id else None)
    if as_json:
        return print_json(entries)
    return _print_markdown(entries) if markdown else say(*tables.ledger(entries))


def lineage(operation_id: OperationId, as_json: AsJson = False) -> None:
    """Show what an operation descends from, and what descends from it."""
    from tutelage.interfaces.cli import tables
    from tutelage.interfaces.cli.session import find, print_json, session
    from tutelage.interfaces.cli.terminal import say

    with session() as client:
        answer = client.lineage(find(client, operation_id))
    print_json(answer) if as_json else say(*tables.lineage(answer))


def spec(operation_id: OperationId, as_json: AsJson = False) -> None:
    """Print the spec as it was accepted; `tutelage train` takes it again."""
    from tutelage.interfaces.cli.session import find, print_json, session

    with session() as client:
        print_json(client.spec(find(client, operation_id)))


def env(operation_id: OperationId, as_json: AsJson = False) -> None:
    """Print what an operation ran on: packages, git, machine."""
    from tutelage.interfaces.cli.session import find, print_json, session
    from tutelage.interfaces.cli.terminal import say

    with session() as client:
        found: dict[str, Any] = client.environment(find(client, operation_id))
    if as_json:
        return print_json(found)
    from tutelage.interfaces.cli import tables

    return say(*tables.environment(found))


def _print_markdown(entries: list[Decision]) -> None:
    from tutelage.interfaces.cli.markdown import ledger

    print("\n".join(ledger(entries)))
