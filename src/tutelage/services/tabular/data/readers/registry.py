"""Which reader reads which source: by its scheme, or by a file's first bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tutelage.core.paths import SCHEME
from tutelage.services.tabular.data.limits import Budget
from tutelage.services.tabular.data.readers.base import Content, SourceFile, file_hash, open_source
from tutelage.services.tabular.data.readers.columnar import is_arrow, is_parquet, read_arrow, read_parquet
from tutelage.services.tabular.data.readers.delimited import read_delimited
from tutelage.services.tabular.data.readers.excel import is_excel, read_excel
from tutelage.services.tabular.data.readers.folder import read_folder
from tutelage.services.tabular.data.readers.json_records import ENDINGS, is_json, read_json
from tutelage.services.tabular.data.readers.packed import is_packed, unpacked
from tutelage.services.tabular.data.readers.shipped import read_openml, read_sklearn, read_statsmodels

INNER_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class FileReader:
    """One form of file: how it is known, and what reads it."""

    knows: Callable[[SourceFile], bool]
    read: Callable[[SourceFile], Content]


def _knows_json(source: SourceFile) -> bool:
    """Tell by the content, inside its packing, or by a name that promises it."""
    head = source.head
    if is_packed(head):
        with unpacked(source.path, head) as file:
            head = file.read(INNER_BYTES)
    return is_json(head) or any(suffix.lower() in ENDINGS for suffix in source.path.suffixes)


def _read_database(source: str, budget: Budget) -> Content:
    from tutelage.services.tabular.data.readers.databases import read_query  # late: files do without SQLAlchemy

    return read_query(source, budget)


SCHEMES: dict[str, Callable[[str, Budget], Content]] = {
    "sklearn": read_sklearn,
    "statsmodels": read_statsmodels,
    "openml": read_openml,
    "sqlite": _read_database,
    "postgresql": _read_database,
}
FILES = (
    FileReader(knows=lambda source: is_parquet(source.head), read=read_parquet),
    FileReader(knows=lambda source: is_arrow(source.head), read=read_arrow),
    FileReader(knows=is_excel, read=read_excel),
    FileReader(knows=_knows_json, read=read_json),
    FileReader(knows=lambda source: True, read=read_delimited),
)
"""In the order they are asked; the last one takes what nobody knows, and refuses what is no text."""


def read_source(source: str, budget: Budget) -> Content:
    """Read a source of any kind; the content has the hash that names it."""
    if SCHEME.match(source):
        return SCHEMES[source.partition(":")[0].lower().partition("+")[0]](source, budget)
    path = Path(source)
    if path.is_dir():
        return read_folder(path, budget, read_file)
    opened = open_source(path, budget)
    content = read_file(opened)
    return Content(frame=content.frame, format=content.format, notes=content.notes, sha256=file_hash(path))


def read_file(source: SourceFile) -> Content:
    """Read one file by the first reader that knows it."""
    return next(reader for reader in FILES if reader.knows(source)).read(source)
