"""The terminal: consoles, the signs and colours of verdicts and states, plain tables."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from tutelage.core import wire
from tutelage.core.findings import Verdict
from tutelage.core.operation import State

RED, AMBER, VIOLET, BLUE, GREEN, GREY, INK = "red", "yellow", "magenta", "blue", "green", "dim", ""

VERDICT_SIGNS: dict[Verdict, tuple[str, str]] = {
    Verdict.NON_FINITE: ("✖", RED),
    Verdict.DIVERGED: ("✖", RED),
    Verdict.STALLED: ("■", VIOLET),
    Verdict.OVERFITTING: ("▲", AMBER),
    Verdict.NOT_LEARNING: ("▲", AMBER),
    Verdict.PLATEAUED: ("=", BLUE),
    Verdict.IMPROVING: ("↗", GREEN),
    Verdict.INSUFFICIENT_EVIDENCE: ("·", GREY),
    Verdict.FINISHED: ("✓", INK),
}
STATE_SIGNS: dict[State, tuple[str, str]] = {
    State.PENDING: ("…", GREY),
    State.RUNNING: ("▸", INK),
    State.PAUSING: ("‖", GREY),
    State.PAUSED: ("‖", INK),
    State.RESUMING: ("…", GREY),
    State.STOPPING: ("▸", GREY),
    State.INTERRUPTED: ("✖", RED),
    State.COMPLETED: ("✓", INK),
    State.FAILED: ("✖", RED),
    State.CANCELLED: ("/", GREY),
}
PAINTED = frozenset({Verdict.NON_FINITE, Verdict.DIVERGED, Verdict.OVERFITTING, Verdict.NOT_LEARNING})
"""Verdicts that paint the curve from their since-step on."""


def out() -> Console:
    """Return the console of answers."""
    return Console(highlight=False, soft_wrap=False)


def say(*parts: RenderableType) -> None:
    """Print answers; text wraps at the terminal's width, or not at all into a file or pipe."""
    console = out()
    for part in parts:
        wraps = console.is_terminal or not isinstance(part, str | Text)
        console.print(part, soft_wrap=not wraps)


def table(*columns: str, right: Iterable[str] = (), wide: Iterable[str] = ()) -> Table:
    """Return an empty table without lines; numbers in `right`, and only the columns in `wide` may wrap."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for column in columns:
        is_wide = column in wide
        made.add_column(
            column,
            justify="right" if column in right else "left",
            no_wrap=not is_wide,
            overflow="fold" if is_wide else "ellipsis",
            ratio=1 if is_wide else None,
        )
    return made


def headline(operation: wire.Operation) -> tuple[str, str, str, str]:
    """Return sign, style, word and sentence for what is happening to an operation."""
    judged, state = operation.assessment, operation.state
    sign, style = STATE_SIGNS[state]
    if operation.error and state in (State.FAILED, State.INTERRUPTED):
        return sign, style, str(state), operation.error.message
    if operation.waiting_for:
        kind = operation.waiting_for.kind
        return (
            ("?", VIOLET, "asks", operation.waiting_for.detail or "Waits for an approval.")
            if kind == "approval"
            else (
                sign,
                style,
                str(state),
                operation.waiting_for.detail or f"Waits for a {kind}.",
            )
        )
    if judged and state in (State.RUNNING, State.COMPLETED):
        word = str(judged.verdict).replace("_", " ")
        return *VERDICT_SIGNS[judged.verdict], word, judged.sentence
    waits = f"No metric yet: {operation.phase or operation.progress.message}." if state is State.RUNNING else ""
    return sign, style, str(state), waits.replace(": .", ".")


def style_of(value: float) -> str:
    """Return the style of a figure: what is not finite is red."""
    return INK if value == value and abs(value) != float("inf") else RED
