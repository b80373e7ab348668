"""Operations as a list: a sentence, then groups in order of urgency, in a table that fits the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tutelage.core import wire
from tutelage.core.operation import ENDED, LIVE
from tutelage.interfaces.cli import words
from tutelage.interfaces.cli.show import painted
from tutelage.interfaces.cli.terminal import headline, table

WIDE = 110
CURVE_WIDTH = 16
NAME_WIDTH = 18
FIGURE_WIDTH = 8
COUNTED = ("running", "pending", "paused", "completed", "failed", "cancelled", "interrupted")
NUMBER_WORDS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")

EMPTY = """Nothing has been trained here yet. Three ways to begin:

  tutelage demo                 train on real data, in a minute
  tutelage init tabular         write a spec to start from
  tutelage train spec.json      train what a spec asks for"""


def page(answer: wire.OperationPage, *, width: int, filtered: bool) -> Iterator[RenderableType]:
    """Yield the list for a terminal of `width` columns."""
    if not answer.items:
        yield Text("No operation matches." if filtered else EMPTY)
        return
    yield Text(head(answer))
    for name, members in groups(answer.items):
        yield Text(f"\n{name}", style="bold")
        yield rows(members, width=width, name_width=_name_width(answer.items, width))
    if answer.next_cursor:
        yield Text(f"\nMore: tutelage ops --cursor {answer.next_cursor}", style="dim")


def head(answer: wire.OperationPage) -> str:
    """Return the list in a sentence: who needs somebody, and how many are where."""
    urgent = sum(operation.attention for operation in answer.items)
    counts = ", ".join(f"{answer.counts[state]} {state}" for state in COUNTED if answer.counts.get(state))
    if not urgent:
        return f"Nothing needs you. {counts}".strip()
    number = NUMBER_WORDS[urgent] if urgent < len(NUMBER_WORDS) else str(urgent)
    return f"{number} {'operation needs' if urgent == 1 else 'operations need'} you. {counts}".strip()


def groups(operations: Sequence[wire.Operation]) -> Iterator[tuple[str, list[wire.Operation]]]:
    """Yield the groups that are not empty; the server's order is kept within each."""
    named: dict[str, list[wire.Operation]] = {"Needs you": [], "Running": [], "Waiting": [], "Ended": []}
    for operation in operations:
        named[_group(operation)].append(operation)
    yield from ((name, members) for name, members in named.items() if members)


def rows(operations: Sequence[wire.Operation], *, width: int, name_width: int) -> Table:
    """Return one row an operation; the curve is shown where there is room for it."""
    is_wide = width >= WIDE
    curve = ["curve"] if is_wide else []
    made = table(
        "id", "name", "what is happening", *curve, "best", "time", right=["best", "time"], wide=["what is happening"]
    )
    made.show_header = False
    made.expand = True
    made.columns[1].width = name_width
    for column in made.columns[-2:]:
        column.min_width = FIGURE_WIDTH
    for operation in operations:
        best = operation.metrics.best
        shown = [painted(operation, width=CURVE_WIDTH)] if is_wide else []
        made.add_row(
            Text(words.short(operation.id), style="dim"),
            operation.name or operation.service,
            _happening(operation),
            *shown,
            words.number(best.value) if best else "",
            _time(operation),
        )
    return made


def _name_width(operations: Sequence[wire.Operation], width: int) -> int:
    """Return one width for the names of all groups."""
    longest = max(len(operation.name or operation.service) for operation in operations)
    return min(longest, NAME_WIDTH + (8 if width >= WIDE else 0))


def _group(operation: wire.Operation) -> str:
    if operation.attention:
        return "Needs you"
    if operation.state in LIVE:
        return "Running"
    return "Ended" if operation.state in ENDED else "Waiting"


def _happening(operation: wire.Operation) -> Text:
    sign, style, word, sentence = headline(operation)
    return Text.assemble((f"{sign} {word}", style), f"  {sentence}")


def _time(operation: wire.Operation) -> str:
    """Return the time left of a live operation, the age of another."""
    progress = operation.progress
    if operation.state in LIVE and progress.eta_s is not None:
        return words.left(progress.eta_s)
    if operation.state in LIVE and progress.fraction is not None:
        return f"{progress.fraction * 100:.0f} %"
    return words.age(words.since(operation.ended_at or operation.created_at))
