"""`python -m tutelage.worker`: train one attempt, serve the use of a model, look at data, or run a command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tutelage.executors.local import be_the_first_to_go
from tutelage.worker.helper import serve_command, serve_inspect, serve_use
from tutelage.worker.train import train_attempt


def main() -> int:
    """Read the arguments and do the one thing asked for."""
    parser = argparse.ArgumentParser(prog="tutelage.worker")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--operation", help="train this operation")
    parser.add_argument("--attempt", type=int, default=1)
    parser.add_argument("--use", help="answer requests to this operation's model")
    parser.add_argument("--inspect", help="look at data for this service")
    parser.add_argument("--command", nargs=2, metavar=("SERVICE", "NAME"), help="run a service's own command")
    arguments = parser.parse_args()
    be_the_first_to_go()
    if arguments.use:
        return serve_use(arguments.home, arguments.use)
    if arguments.inspect:
        return serve_inspect(arguments.home, arguments.inspect)
    if arguments.command:
        return serve_command(arguments.home, *arguments.command)
    return train_attempt(arguments.home, arguments.operation, arguments.attempt)


if __name__ == "__main__":
    sys.exit(main())
