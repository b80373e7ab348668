"""Reads the first sheet of an Excel workbook (.xlsx)."""

from __future__ import annotations

import zipfile
from typing import Any

import pandas as pd

from tutelage.core.errors import MissingDependency
from tutelage.services.tabular.data.readers.base import Content, SourceFile, first_line, named
from tutelage.services.tabular.data.readers.packed import ZIP_MAGIC
from tutelage.services.tabular.errors import DataEmpty, DataUnreadable

OLD_MAGIC = b"\xd0\xcf\x11\xe0"
WORKBOOK = "xl/workbook.xml"
MEMORY_A_BYTE = 4.0
"""Memory for each unpacked byte of a workbook's XML."""


def is_excel(source: SourceFile) -> bool:
    """Tell whether a file is a workbook, by what is packed in it."""
    if source.head.startswith(OLD_MAGIC):
        return True
    if not source.head.startswith(ZIP_MAGIC):
        return False
    try:
        with zipfile.ZipFile(source.path) as archive:
            return WORKBOOK in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return source.path.suffix.lower() in (".xlsx", ".xlsm")


def read_excel(source: SourceFile) -> Content:
    """Read the first sheet. Raises DataUnreadable, DataEmpty, DuplicateColumns, MissingDependency or MemoryLimit."""
    if source.head.startswith(OLD_MAGIC):
        raise DataUnreadable(f"{source.name} is an Excel workbook of before 2007", hint="save it as .xlsx, or as CSV")
    try:
        _check_size(source)
        with pd.ExcelFile(source.path, engine="openpyxl") as book:
            sheets = [str(name) for name in book.sheet_names]
            cells = pd.read_excel(book, sheet_name=sheets[0], header=None)
    except ImportError as error:
        raise MissingDependency("Excel needs the package openpyxl", hint="pip install 'tutelage[tabular]'") from error
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, SyntaxError) as error:  # XML's ParseError is the last
        raise DataUnreadable(
            f"{source.name} is no valid workbook: {first_line(error)}", hint="it is cut off or damaged: save it again"
        ) from error
    notes = [f"{source.name}: sheet {sheets[0]!r} is read, {len(sheets) - 1} others are not"] if len(sheets) > 1 else []
    return Content(frame=_table(cells, source), format="excel", notes=tuple(notes))


def _check_size(source: SourceFile) -> None:
    with zipfile.ZipFile(source.path) as archive:
        source.budget.check(sum(item.file_size for item in archive.infolist()) * MEMORY_A_BYTE, source.name)


def _table(cells: Any, source: SourceFile) -> Any:
    """Return the rows below the first one, with the first one's cells as names."""
    if cells.empty:
        raise DataEmpty(f"{source.name} has no cell in its first sheet", hint="give a header line and rows")
    header = ["" if pd.isna(cell) else str(cell).strip() for cell in cells.iloc[0]]
    nameless = [index + 1 for index, name in enumerate(header) if not name]
    if nameless:
        raise DataUnreadable(
            f"{source.name} has no name for column {', '.join(map(str, nameless[:8]))} of {len(header)}",
            hint="the first row of the first sheet holds the columns' names; remove titles and notes above the table",
        )
    rows = cells.iloc[1:].infer_objects()
    rows.columns = header
    return named(rows, source.name)
