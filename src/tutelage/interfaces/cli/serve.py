"""`serve`: become the process that owns the home, with a TCP port."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

PORT = 8765


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0: any free one.", min=0, max=65_535)] = PORT,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="A certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, PEM.")] = None,
    behind_proxy: Annotated[bool, typer.Option("--behind-proxy", help="A proxy of yours speaks TLS.")] = False,
    allowed_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A name that this server answers to; may be given again.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print address and login link as a line of JSON.")] = False,
) -> None:
    """Serve the home on a TCP port, until Ctrl-C; runs go on."""
    from tutelage.interfaces.cli.session import note
    from tutelage.settings import load_settings

    home = load_settings().home
    if not home.is_dir():
        note(f"New home: {home}")
    files = [*(["--tls-cert", str(tls_cert)] if tls_cert else []), *(["--tls-key", str(tls_key)] if tls_key else [])]
    names = [part for name in allowed_host or () for part in ("--allowed-host", name)]
    flags = [*(["--behind-proxy"] if behind_proxy else []), *(["--json"] if as_json else [])]
    given = ["--home", str(home), "--serve", "--host", host, "--port", str(port), *files, *names, *flags]
    sys.stdout.flush()
    # This process becomes the supervisor: one process, one place for signals, and no CLI that waits beside it.
    os.execv(sys.executable, [sys.executable, "-m", "tutelage.supervisor", *given])
