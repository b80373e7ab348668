"""`tutelage mcp`: becomes the MCP server on standard input and output."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

MCP_MODULE = "tutelage.interfaces.mcp"
"""Started by name: interfaces do not import one another."""


def mcp(
    read_only: Annotated[bool, typer.Option("--read-only", help="Offer only tools that change nothing.")] = False,
    name: Annotated[str, typer.Option("--name", help="The agent's name in the ledger.")] = "mcp",
) -> None:
    """Serve agents by MCP on standard input and output."""
    flags = ["--read-only"] if read_only else []
    os.execv(sys.executable, [sys.executable, "-m", MCP_MODULE, "--name", name, *flags])
