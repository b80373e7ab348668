"""`python -m tutelage.interfaces.mcp`: the server on standard input and output, for an agent host that starts it."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from tutelage.client import connect
from tutelage.core.errors import EXIT_FAILED, TutelageError
from tutelage.core.wire import Principal
from tutelage.interfaces.mcp.access import Access
from tutelage.interfaces.mcp.server import build


def main() -> int:
    """Serve until the host closes the input."""
    parser = argparse.ArgumentParser(prog="tutelage mcp", description="Serve MCP on standard input and output.")
    parser.add_argument("--read-only", action="store_true", help="offer only tools that change nothing")
    parser.add_argument("--name", default="mcp", help="the agent's name in the ledger (default: mcp)")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    who = Principal(name=given.name, kind="agent")
    try:
        with connect(principal=who) as client:
            access = Access(platform=client, principal=lambda: who, folder=Path.cwd())
            build(access, read_only=given.read_only).run("stdio")
    except TutelageError as error:
        sys.stderr.write(f"{error}\n{error.hint}\n")
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
