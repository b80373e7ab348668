"""`services`, `init` and `inspect`: what can be trained, a spec to start from, a look at data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tutelage.interfaces.cli.options import AsJson, MaybeService, Output, ServiceName


def services(name: MaybeService = None, as_json: AsJson = False) -> None:
    """List the services, or show one: settings, presets, metrics."""
    from tutelage.interfaces.cli import tables
    from tutelage.interfaces.cli.session import print_json, session
    from tutelage.interfaces.cli.terminal import say

    with session(new_home=True) as client:
        if name is None:
            listed = client.services()
            return print_json(listed) if as_json else say(*tables.services(listed))
        info = client.service(name)
    return print_json(info) if as_json else say(*tables.service(info))


def init(
    service: ServiceName,
    output: Output = None,
    preset: Annotated[str | None, typer.Option(help="Start from this preset; default: the first.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a commented spec to start from."""
    from tutelage.core.errors import unknown
    from tutelage.interfaces.cli import starting
    from tutelage.interfaces.cli.errors import usage_error
    from tutelage.interfaces.cli.session import print_json, session
    from tutelage.interfaces.cli.terminal import say

    with session(new_home=True) as client:
        info = client.service(service)
    if preset is not None and preset not in info.presets:
        raise unknown("preset", preset, info.presets)
    if as_json:
        return print_json(starting.document(info, preset))
    target = output or Path(f"{info.name}.yaml")
    if target.exists():
        raise usage_error(f"{target} exists already", hint="name another file with -o")
    target.write_text(starting.text(info, preset))
    return say(f"Wrote {target}", "", f"  tutelage train {target} --dry-run", f"  tutelage train {target} --follow")


def inspect(
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="A table: a file, a folder, a query, or sklearn:NAME."),
    ],
    target: Annotated[str | None, typer.Option("--target", "-t", help="The column to predict.")] = None,
    service: Annotated[str, typer.Option(help="Whose data this is.")] = "tabular",
    as_json: AsJson = False,
) -> None:
    """Look at data before training: types, quality, leak suspects, a suggested job."""
    from tutelage.client import with_uploads
    from tutelage.core.paths import absolute_paths
    from tutelage.core.wire import InspectRequest
    from tutelage.interfaces.cli import inspection
    from tutelage.interfaces.cli.session import print_json, session
    from tutelage.interfaces.cli.terminal import say

    asked = absolute_paths({"dataPath": data, **({"targetColumn": target} if target else {})}, Path.cwd())
    with session(new_home=True) as client:
        seen = client.inspect(InspectRequest(service=service, data=with_uploads(client, asked)))
    return print_json(seen) if as_json else say(*inspection.lines(seen.data))
