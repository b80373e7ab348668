"""`tutelage ops`: all operations, those that need somebody first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tutelage.interfaces.cli.options import AsJson

if TYPE_CHECKING:
    from tutelage.core.wire import OperationPage

SPARK_POINTS = 48


def ops(
    state: Annotated[str | None, typer.Option(help="Only operations in this state.")] = None,
    service: Annotated[str | None, typer.Option(help="Only operations of this service.")] = None,
    tag: Annotated[str | None, typer.Option(metavar="KEY=VALUE", help="Only operations with this tag.")] = None,
    text: Annotated[str | None, typer.Option(help="Only operations whose name or notes hold this text.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many at most.", min=1, max=500)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Continue where the page before ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List operations, those that need somebody first."""
    from tutelage.interfaces.cli.session import print_json, session

    with session(new_home=True) as client:
        page = client.operations(
            state=state, service=service, tag=tag, text=text, limit=limit, cursor=cursor, spark=SPARK_POINTS
        )
    if as_json:
        return print_json(page)
    return _show(page, filtered=any((state, service, tag, text)))


def _show(page: OperationPage, *, filtered: bool) -> None:
    from tutelage.interfaces.cli import listing
    from tutelage.interfaces.cli.terminal import out, say

    say(*listing.page(page, width=out().width, filtered=filtered))
