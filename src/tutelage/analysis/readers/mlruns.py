"""Curves from MLflow's file store: `mlruns/EXPERIMENT/RUN/metrics/NAME`, lines of `timestamp value step`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tutelage.core.errors import DamagedFile

METRICS, META = "metrics", "meta.yaml"


def is_run_folder(path: Path) -> bool:
    """Tell whether a folder is one run of MLflow."""
    return (path / METRICS).is_dir() and (path / META).is_file()


def run_folders(path: Path) -> Iterator[Path]:
    """Yield the runs under a folder, in the order of their names; deleted ones in `.trash` are left out."""
    for meta in sorted(path.rglob(META)):
        if is_run_folder(meta.parent) and ".trash" not in meta.parts:
            yield meta.parent


def read_run(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the metrics of one run; a metric in a folder of its own is named `folder/name`."""
    files = sorted(file for file in (folder / METRICS).rglob("*") if file.is_file())
    return {file.relative_to(folder / METRICS).as_posix(): list(_points(file)) for file in files}


def _points(file: Path) -> Iterator[tuple[int, float]]:
    for number, line in enumerate(file.read_text().splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        try:
            yield int(parts[2]), float(parts[1])
        except (IndexError, ValueError) as error:
            hint = "MLflow writes `timestamp value step` on each line"
            raise DamagedFile(f"line {number} of metric {file.name} cannot be read: {line!r}", hint=hint) from error
