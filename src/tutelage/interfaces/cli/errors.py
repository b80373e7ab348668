"""One clear block for whatever went wrong; a problem document with --json. Never a traceback."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tutelage.core.errors import TutelageError

if TYPE_CHECKING:
    from rich.text import Text

MAX_PLACES = 12


def show_error(error: TutelageError, *, as_json: bool) -> int:
    """Print the error and return the exit code it asks for."""
    if as_json:
        from tutelage.client.problems import problem_from
        from tutelage.interfaces.cli.session import print_json

        print_json(problem_from(error))
    else:
        from rich.console import Console

        Console(stderr=True, highlight=False).print(block(error))
    return error.exit_code


def block(error: TutelageError) -> Text:
    """Return what is wrong, the single places, and what to do."""
    from rich.text import Text

    text = Text.assemble(("Error", "bold red"), f" ({error.code.replace('_', ' ')}): ", (error.message, "bold"))
    for place in error.errors[:MAX_PLACES]:
        text.append(f"\n  {place.get('at', '')}: ", style="yellow").append(place.get("message", ""))
    if len(error.errors) > MAX_PLACES:
        text.append(f"\n  and {len(error.errors) - MAX_PLACES} more")
    if error.hint:
        text.append("\n  ").append(error.hint)
    return text


def usage_error(message: str, hint: str = "") -> TutelageError:
    """Return the error of a wrong command line."""
    from tutelage.core.errors import InvalidSpec

    return InvalidSpec(message, hint=hint)


def is_tty() -> bool:
    """Tell whether answers go to a terminal."""
    return sys.stdout.isatty()
