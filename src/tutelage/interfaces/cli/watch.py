"""`follow`, `wait` and `logs`: what comes while an operation runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tutelage.core.errors import EXIT_ADVISED, EXIT_FAILED, EXIT_OK
from tutelage.core.findings import Advice
from tutelage.core.operation import ENDED, State
from tutelage.interfaces.cli.options import AsJson, OperationId

if TYPE_CHECKING:
    from tutelage.client import Client
    from tutelage.core.wire import Operation

INTERRUPTED = 130
WAIT_S = 5.0
"""Between two looks at whether it waits for an approval."""


def exit_code(operation: Operation) -> int:
    """Return how an operation stands as an exit code; 3: an unmet gate, a refusal, or a live one advised to stop."""
    from tutelage.interfaces.cli.gates import unmet

    if operation.state in (State.FAILED, State.CANCELLED, State.INTERRUPTED):
        return EXIT_FAILED
    if operation.state is State.COMPLETED and unmet(operation.result or {}):
        return EXIT_ADVISED
    judged = operation.assessment
    if operation.state not in ENDED and judged and judged.recommendation.do is Advice.STOP:
        return EXIT_ADVISED
    return EXIT_OK


def follow(operation_id: OperationId, as_json: AsJson = False) -> None:
    """Watch an operation live. Ctrl-C stops watching, not the run."""
    from tutelage.interfaces.cli.session import find, print_line, session

    with session() as client:
        found = find(client, operation_id)
        if as_json:
            for event in client.stream(found):
                print_line(event)
            ended = client.operation(found)
        else:
            ended = follow_live(client, found)
    raise typer.Exit(exit_code(ended))


def follow_live(client: Client, operation_id: str, *, data: str = "DATA.csv") -> Operation:
    """Show the operation until it ends; a terminal gets a live display, anything else a line a change."""
    from tutelage.interfaces.cli import follow as following
    from tutelage.interfaces.cli.errors import is_tty

    try:
        ended = following.live(client, operation_id) if is_tty() else following.plain(client, operation_id)
    except KeyboardInterrupt:
        _say_left(operation_id)
        raise typer.Exit(INTERRUPTED) from None
    following.show_ending(client, ended, data=data)
    return ended


def wait_quietly(client: Client, operation_id: str) -> Operation:
    """Wait until the operation has ended; say so once, beside the answer, where it waits for an approval."""
    told = ""
    try:
        while not (answer := client.wait(operation_id, timeout_s=WAIT_S)).reached:
            told = _tell_question(answer.operation, told)
    except KeyboardInterrupt:
        _say_left(operation_id)
        raise typer.Exit(INTERRUPTED) from None
    return answer.operation


def _tell_question(operation: Operation, told: str) -> str:
    """Say what an operation asks for, unless that was said already; return what has been said."""
    from tutelage.interfaces.cli.session import note
    from tutelage.interfaces.cli.words import short

    waiting = operation.waiting_for
    if waiting is None or waiting.kind != "approval" or waiting.detail == told:
        return told
    key = short(operation.id)
    note(f'{waiting.detail}\n  tutelage approve {key} --reason "..."\n  tutelage reject {key} --reason "..."')
    return waiting.detail


def wait(
    operation_id: OperationId,
    until: Annotated[
        str,
        typer.Option(help="verdict_change, phase, eval, terminal, step>=N or METRIC<x."),
    ] = "terminal",
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.", min=0)] = 3600.0,
    as_json: AsJson = False,
) -> None:
    """Wait until something happens; exit 1 when it did not come in time."""
    from tutelage.interfaces.cli.gates import say_unmet
    from tutelage.interfaces.cli.session import find, print_json, session
    from tutelage.interfaces.cli.show import summary_line
    from tutelage.interfaces.cli.terminal import say

    with session() as client:
        found = find(client, operation_id)
        try:
            answer = client.wait(found, until=until, timeout_s=timeout)
        except KeyboardInterrupt:
            _say_left(found)
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(answer)
    else:
        say(summary_line(answer.operation))
        say_unmet(answer.operation)
    raise typer.Exit(exit_code(answer.operation) if answer.reached else EXIT_FAILED)


def logs(
    operation_id: OperationId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.", min=1)] = 200,
    as_json: AsJson = False,
) -> None:
    """Print the log: its last lines, and with -f what comes."""
    from tutelage.interfaces.cli.session import find, note, print_json, session

    with session() as client:
        found = find(client, operation_id)
        page = client.logs(found, limit=lines)
        if not follow and as_json:
            return print_json(page)
        if not follow:
            return _print_lines(page.lines) if page.lines else note("The log is empty.")
        try:
            _follow_log(client, found, lines, as_json=as_json)
        except KeyboardInterrupt:
            _say_left(found)
            raise typer.Exit(INTERRUPTED) from None
    return None


def _follow_log(client: Client, operation_id: str, lines: int, *, as_json: bool) -> None:
    """Print pages of the log; the events of the operation say when to look again."""
    from tutelage.interfaces.cli.follow import heartbeats
    from tutelage.interfaces.cli.session import print_line

    cursor: str | None = None
    for _ in heartbeats(client, operation_id):
        page = client.logs(operation_id, since=cursor, limit=lines)
        if page.lines:
            print_line(page) if as_json else _print_lines(page.lines)
        cursor = page.next_cursor


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _say_left(operation_id: str) -> None:
    from tutelage.interfaces.cli.session import note
    from tutelage.interfaces.cli.words import short

    key = short(operation_id)
    note(f"\nNot watching any more; the run goes on. To end it: tutelage cancel {key}   (or: tutelage stop {key})")
