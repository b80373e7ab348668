"""What readers share: a file with its first bytes, what was read, and how an error names it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage.services.tabular.data.limits import Budget
from tutelage.services.tabular.errors import DataEmpty, DataUnreadable, DuplicateColumns

SAMPLE_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a reader found: the rows, the format, and what a person should know about the reading."""

    frame: Any
    format: str
    notes: tuple[str, ...] = ()
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file to read, its first bytes, and the memory that may be used."""

    path: Path
    head: bytes
    budget: Budget

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.path.name


def open_source(path: Path, budget: Budget) -> SourceFile:
    """Look at a file's first bytes. Raises DataUnreadable or DataEmpty."""
    try:
        with path.open("rb") as file:
            head = file.read(SAMPLE_BYTES)
    except FileNotFoundError as error:
        raise DataUnreadable(f"there is no file {path}", hint=_siblings(path)) from error
    except OSError as error:
        raise DataUnreadable(f"{path} cannot be opened: {error.strerror}", hint="check its permissions") from error
    if not head.strip():
        raise DataEmpty(f"{path.name} is empty ({len(head)} bytes)", hint="give a table with a header line and rows")
    return SourceFile(path=path, head=head, budget=budget)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def frame_hash(frame: Any) -> str:
    """Return the SHA-256 of a frame's cells, for sources that are no file."""
    try:
        rows = pd.util.hash_pandas_object(frame)
    except TypeError:  # cells of several types in one column have no order
        rows = pd.util.hash_pandas_object(frame.astype(str))
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()


def named(frame: Any, what: str) -> Any:
    """Return the frame with text as column names, rows counted from 0. Raises DuplicateColumns."""
    frame.columns = check_names([str(name) for name in frame.columns], what)
    return frame.reset_index(drop=True)


def check_names(names: list[str], what: str) -> list[str]:
    """Return names without blanks around them. Raises DuplicateColumns."""
    plain = [name.strip() for name in names]
    twice = sorted(name for name, count in Counter(plain).items() if name and count > 1)
    if twice:
        raise DuplicateColumns(
            f"{what} has columns of one name: {', '.join(map(repr, twice[:8]))}", hint="rename or drop one of each"
        )
    return plain


def first_line(error: BaseException) -> str:
    """Return an error's text on one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def _siblings(path: Path) -> str:
    """Name the files beside a missing one."""
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist either"
    names = sorted(item.name for item in path.parent.iterdir())[:8]
    return f"in {path.parent}: {', '.join(names) or 'nothing'}"
