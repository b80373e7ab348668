"""Reads a source of any kind into a data frame, within the operation's memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.core.paths import SCHEME
from tutelage.services.tabular.addresses import shown_source
from tutelage.services.tabular.data.limits import Budget, helper_budget
from tutelage.services.tabular.data.readers.registry import read_source
from tutelage.services.tabular.errors import DataEmpty, TooManyColumns

MAX_COLUMNS = 10_000


@dataclass(frozen=True, kw_only=True)
class Table:
    """A source as it was read: the frame, and what proves which data it was.

    `source` may be shown: a database's user and password are left out. `notes` are about the reading, for a person.
    """

    frame: Any
    source: str
    format: str
    sha256: str
    notes: tuple[str, ...] = ()

    @property
    def record(self) -> dict[str, Any]:
        """Source, format, size and hash, for the result."""
        rows, columns = self.frame.shape
        return {"source": self.source, "format": self.format, "rows": rows, "columns": columns, "sha256": self.sha256}


def read_table(source: str, *, memory_gib: float | None = None) -> Table:
    """Read a source whole, in at most `memory_gib`; without it, in what a helper process was bounded to.

    Raises DataUnreadable, DataEmpty, DuplicateColumns, TooManyColumns, MissingDependency or MemoryLimit.
    """
    budget = helper_budget() if memory_gib is None else Budget(memory_gib=memory_gib)
    name = short_name(source)
    with budget.enforced(name):
        content = read_source(source, budget)
    rows, columns = content.frame.shape
    if rows == 0 or columns == 0:
        raise DataEmpty(
            f"{name} has {rows} rows and {columns} columns", hint="give a table with a header line and at least one row"
        )
    if columns > MAX_COLUMNS:
        raise TooManyColumns(
            f"{name} has {columns:,} columns, and at most {MAX_COLUMNS:,} are read",
            hint="leave out columns that say little, or combine them (PCA, sums) first",
        )
    return Table(
        frame=content.frame,
        source=shown_source(source),
        format=content.format,
        sha256=content.sha256,
        notes=content.notes,
    )


def short_name(source: str) -> str:
    """Return what messages call a source: a file's name, or the source without secrets."""
    return shown_source(source) if SCHEME.match(source) else Path(source).name
