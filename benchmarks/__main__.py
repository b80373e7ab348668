"""`python -m benchmarks [NAME] [--quick] [--json FILE]`: run one benchmark, or all of them."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path

import benchmarks
from benchmarks.report import Report, show
from tutelage.core.errors import TutelageError, unknown

NOT_BENCHMARKS = frozenset({"__main__", "report"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; exit with 2 on a usage error, else 0: a missed budget is printed, not raised."""
    asked = _parser().parse_args(arguments)
    try:
        reports = [_run(name, quick=asked.quick) for name in chosen(asked.name)]
    except TutelageError as error:
        print(f"{error.message}\n{error.hint}", file=sys.stderr)
        return 2
    if asked.json:
        documents = [report.document() for report in reports]
        asked.json.write_text(json.dumps(documents[0] if asked.name else documents, indent=1, allow_nan=False) + "\n")
    return 0


def names() -> list[str]:
    """Return the names of the benchmarks: the modules of this package."""
    found = pkgutil.iter_modules(benchmarks.__path__)
    return sorted(item.name for item in found if not item.ispkg and item.name not in NOT_BENCHMARKS)


def chosen(name: str | None) -> list[str]:
    """Return the benchmarks to run. Raises UnknownName with the nearest match and the list."""
    if name is None:
        return names()
    if name not in names():
        raise unknown("benchmark", name, names())
    return [name]


def _run(name: str, *, quick: bool) -> Report:
    report: Report = importlib.import_module(f"benchmarks.{name}").run(quick=quick)
    show(report)
    return report


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what the design promises.")
    parser.add_argument("name", nargs="?", metavar="NAME", help=f"one of: {', '.join(names())}; default: all")
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer repeats")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there (all: a list)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
