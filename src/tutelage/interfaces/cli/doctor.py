"""`tutelage doctor`: is this installation able to work, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tutelage.core.errors import EXIT_FAILED
from tutelage.interfaces.cli.options import AsJson

if TYPE_CHECKING:
    from tutelage.interfaces.cli.checkup import Check

SIGNS = {True: ("✓", "green"), False: ("✖", "red"), None: ("·", "dim")}


def doctor(as_json: AsJson = False) -> None:
    """Check installation, home, supervisor and machine; exit 1 when something is wrong."""
    from tutelage.interfaces.cli import checkup
    from tutelage.interfaces.cli.session import print_json
    from tutelage.settings import load_settings

    checks = list(checkup.checks(load_settings()))
    healthy = all(check.ok is not False for check in checks)
    if as_json:
        items = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks]
        print_json({"healthy": healthy, "checks": items})
    else:
        _show(checks)
    raise typer.Exit(0 if healthy else EXIT_FAILED)


def _show(checks: list[Check]) -> None:
    from rich.text import Text

    from tutelage.interfaces.cli.terminal import say, table

    rows = table("ok", "check", "detail", wide=["detail"])
    rows.show_header = False
    for check in checks:
        sign, style = SIGNS[check.ok]
        rows.add_row(Text(sign, style=style), check.name, check.detail)
    wrong = sum(check.ok is False for check in checks)
    say(rows, "", "Everything is in order." if not wrong else f"{wrong} of {len(checks)} checks found something wrong.")
