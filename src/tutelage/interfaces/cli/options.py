"""The arguments and options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tutelage.interfaces.cli.completion import complete_operation, complete_service

ID_HELP = "An operation: its id, a unique beginning or ending of it, or `last`."

OperationId = Annotated[str, typer.Argument(metavar="ID", help=ID_HELP, autocompletion=complete_operation)]
OperationIds = Annotated[list[str], typer.Argument(metavar="ID...", help=ID_HELP, autocompletion=complete_operation)]
ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help="A service.", autocompletion=complete_service)]
MaybeService = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="A service.", autocompletion=complete_service)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as the REST API gives it.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the ledger.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be given again.")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write.", dir_okay=True)]
