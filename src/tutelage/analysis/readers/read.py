"""Reads the curves of a file or folder, by what it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tutelage.analysis.readers.mlflow_database import read_database
from tutelage.analysis.readers.mlruns import is_run_folder, read_run, run_folders
from tutelage.analysis.readers.tables import read_csv, read_json_lines
from tutelage.analysis.readers.tensorboard import EVENT_FILE, read_events
from tutelage.core.errors import InvalidSpec, NotFound

Points = list[tuple[int, float]]
CSV = frozenset({".csv", ".tsv"})
JSON_LINES = frozenset({".jsonl", ".ndjson", ".json"})
DATABASE = frozenset({".db", ".sqlite"})
ALLOWED = (
    "a .csv, .tsv, .jsonl or .ndjson file, a TensorBoard event file or its folder, an `mlruns` folder or `mlflow.db`"
)


@dataclass(frozen=True, kw_only=True)
class CurveFile:
    """The curves of one run: name -> points in the order in which they were logged."""

    source: str
    curves: Mapping[str, Points]


def read_curves(path: Path) -> list[CurveFile]:
    """Return the runs of a file or folder, one for a file, one for each run of a folder.

    Raises NotFound where nothing is there, InvalidSpec for a kind of file that is not read or holds no curves, and
    DamagedFile for one that does not hold what its name says.
    """
    if not path.exists():
        raise NotFound(f"there is nothing at {path}", hint=f"give {ALLOWED}")
    found = [item for item in _runs(path) if item.curves]
    if not found:
        raise InvalidSpec(f"{path} holds no curves", hint=_beside(path) or f"give {ALLOWED}")
    return found


def _beside(path: Path) -> str:
    """Return what to give in place of an `mlruns` folder that holds artifacts alone."""
    database = path.parent / "mlflow.db"
    return f"MLflow keeps the metrics in its database: give {database}" if database.is_file() and path.is_dir() else ""


def _runs(path: Path) -> Iterator[CurveFile]:
    if path.is_dir():
        yield from _folder(path)
    elif path.suffix in CSV:
        yield CurveFile(source=str(path), curves=read_csv(path, separator="\t" if path.suffix == ".tsv" else ","))
    elif path.suffix in JSON_LINES:
        yield CurveFile(source=str(path), curves=read_json_lines(path))
    elif path.suffix in DATABASE:
        for name, curves in read_database(path):
            yield CurveFile(source=f"{path}: {name}", curves=curves)
    elif EVENT_FILE in path.name:
        yield CurveFile(source=str(path), curves=read_events(path))
    else:
        raise InvalidSpec(f"what {path.name!r} holds cannot be told from its name", hint=f"give {ALLOWED}")


def _folder(path: Path) -> Iterator[CurveFile]:
    """Yield the runs of an `mlruns` folder, else those of TensorBoard: one for each folder that holds event files."""
    folders = [path] if is_run_folder(path) else list(run_folders(path))
    for folder in folders:
        yield CurveFile(source=str(folder), curves=read_run(folder))
    if folders:
        return
    for folder in sorted({file.parent for file in path.rglob(f"*{EVENT_FILE}*")}):
        curves: dict[str, Points] = {}
        for file in sorted(folder.glob(f"*{EVENT_FILE}*")):  # a run that was resumed has several, named by their time
            for name, points in read_events(file).items():
                curves.setdefault(name, []).extend(points)
        yield CurveFile(source=str(folder), curves=curves)
