"""`python -m tutelage.tracking`: export one operation, or say why that was not possible."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from pathlib import Path

from tutelage.core.layout import HomeFiles
from tutelage.tracking.exporter import export

EXPORT_S = 600.0
"""An export that takes longer has hung; the retry goes on where it stood."""
NICENESS = 5
"""A training comes before its record."""


def main() -> int:
    """Export; 0: logged, 1: not logged, 75: another exporter is at work on this operation."""
    parser = argparse.ArgumentParser(prog="tutelage.tracking")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--operation", required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    os.nice(NICENESS)
    limit = threading.Timer(EXPORT_S, os._exit, args=(1,))
    limit.daemon = True
    limit.start()
    return export(HomeFiles(arguments.home), arguments.operation)


if __name__ == "__main__":
    sys.exit(main())
