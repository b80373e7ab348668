"""Reads a source into a data frame: CSV (delimiter, encoding and compression sniffed), Parquet, scikit-learn's sets."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import hashlib
import io
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pandas as pd

from tutelage.services.tabular.errors import DataEmpty, DataUnreadable, DuplicateColumns

SAMPLE_BYTES = 1 << 16
DELIMITERS = (",", ";", "\t", "|")
COMPRESSIONS: dict[bytes, tuple[str, Callable[..., Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bz2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
}
PARQUET_MAGIC = b"PAR1"
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, kw_only=True)
class Table:
    """A source as it was read: the frame, and what proves which data it was."""

    frame: Any
    source: str
    format: str
    sha256: str

    @property
    def record(self) -> dict[str, Any]:
        """Source, format, size and hash, for the result."""
        rows, columns = self.frame.shape
        return {"source": self.source, "format": self.format, "rows": rows, "columns": columns, "sha256": self.sha256}


def read_table(source: str) -> Table:
    """Read a source whole. Raises DataUnreadable, DataEmpty or DuplicateColumns."""
    table = _read_sklearn(source) if source.startswith("sklearn:") else _read_file(Path(source))
    if table.frame.shape[0] == 0 or table.frame.shape[1] == 0:
        raise DataEmpty(
            f"{_short(source)} has {table.frame.shape[0]} rows and {table.frame.shape[1]} columns",
            hint="give a table with a header line and at least one row",
        )
    return table


def _read_sklearn(source: str) -> Table:
    from sklearn import datasets  # late: 1 s of import that files do not need

    name = source.removeprefix("sklearn:")
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    frame = bunch.frame
    digest = hashlib.sha256(pd.util.hash_pandas_object(frame).to_numpy().tobytes()).hexdigest()
    return Table(frame=frame, source=source, format="sklearn", sha256=digest)


def _read_file(path: Path) -> Table:
    head = _head(path)
    digest = _sha256(path)
    if head.startswith(PARQUET_MAGIC):
        return Table(frame=_read_parquet(path), source=str(path), format="parquet", sha256=digest)
    frame = _read_csv(path, head)
    return Table(frame=frame, source=str(path), format="csv", sha256=digest)


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise DataUnreadable(f"{path.name} is a folder", hint="folders of parts are not read yet; name one file")
        with path.open("rb") as file:
            head = file.read(SAMPLE_BYTES)
    except FileNotFoundError as error:
        raise DataUnreadable(f"there is no file {path}", hint=_siblings(path)) from error
    except OSError as error:
        raise DataUnreadable(f"{path} cannot be opened: {error.strerror}", hint="check its permissions") from error
    if not head.strip():
        raise DataEmpty(f"{path.name} is empty ({len(head)} bytes)", hint="give a table with a header line and rows")
    return head


def _siblings(path: Path) -> str:
    """Name the files beside a missing one."""
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist either"
    names = sorted(item.name for item in path.parent.iterdir() if item.is_file())[:8]
    return f"files in {path.parent}: {', '.join(names) or 'none'}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_parquet(path: Path) -> Any:
    try:
        frame = pd.read_parquet(path)
    except ImportError as error:
        raise DataUnreadable("Parquet needs the package pyarrow", hint="pip install 'tutelage[tabular]'") from error
    except (OSError, ValueError) as error:
        raise DataUnreadable(
            f"{path.name} is not valid Parquet: {_first_line(error)}", hint="write it again"
        ) from error
    frame.columns = [str(name) for name in frame.columns]
    _check_names(path, list(frame.columns))
    return frame.reset_index(drop=True)


def _read_csv(path: Path, head: bytes) -> Any:
    opened = next((entry for magic, entry in COMPRESSIONS.items() if head.startswith(magic)), ("none", open))
    try:
        with opened[1](path, "rb") as file:
            sample = file.read(SAMPLE_BYTES)
            if not sample.strip():
                raise DataEmpty(f"{path.name} holds nothing", hint="give a table with a header line and rows")
            encoding = sniff_encoding(sample, path)
            delimiter = sniff_delimiter(sample.decode(encoding, errors="ignore"))
            file.seek(0)
            return _parse(file, path, encoding=encoding, delimiter=delimiter)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise DataUnreadable(f"{path.name} cannot be unpacked: {_first_line(error)}", hint="write it again") from error


def _parse(file: IO[bytes], path: Path, *, encoding: str, delimiter: str) -> Any:
    """Parse the whole file; a byte that does not fit the sniffed UTF-8 makes it be read as Windows-1252."""
    block = file.read()
    if encoding == "utf-8":
        try:
            block.decode("utf-8")
        except UnicodeDecodeError:
            encoding = "cp1252"
    text = block.decode(encoding, errors="replace")
    _check_names(path, next(csv.reader(io.StringIO(text), delimiter=delimiter), []))
    try:
        frame = pd.read_csv(io.StringIO(text), sep=delimiter, skipinitialspace=True, low_memory=False)
    except pd.errors.EmptyDataError as error:
        raise DataEmpty(f"{path.name} has no columns", hint="give a table with a header line and rows") from error
    except (pd.errors.ParserError, ValueError) as error:
        raise DataUnreadable(
            f"{path.name} is not a regular table: {_first_line(error)}",
            hint="every row needs as many fields as the header; quote fields that hold the delimiter",
        ) from error
    frame.columns = [str(name).strip() for name in frame.columns]
    return frame.reset_index(drop=True)


def sniff_encoding(sample: bytes, path: Path) -> str:
    """Return the encoding of a text sample. Raises DataUnreadable for bytes that are no text."""
    for bom, name in BOMS:
        if sample.startswith(bom):
            return name
    control = sum(byte < 9 or 13 < byte < 32 for byte in sample)
    if b"\x00" in sample or control > len(sample) // 100:
        raise DataUnreadable(
            f"{path.name} is binary, not a table (starts with {sample[:8].hex(' ')})", hint="give CSV or Parquet"
        )
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def sniff_delimiter(sample: str) -> str:
    """Return the delimiter that divides the most lines into the header's number of fields."""
    lines = sample.splitlines()[:100]
    if len(lines) > 1 and len(sample) >= SAMPLE_BYTES:
        lines = lines[:-1]

    def fit(delimiter: str) -> tuple[float, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        if not counts or counts[0] < 2:
            return (0.0, 0)
        return (sum(count == counts[0] for count in counts) / len(counts), counts[0])

    return max(DELIMITERS, key=fit)


def _check_names(path: Path, names: list[str]) -> None:
    plain = [name.strip() for name in names]
    twice = sorted({name for name in plain if name and plain.count(name) > 1})
    if twice:
        raise DuplicateColumns(
            f"{path.name} has columns of one name: {', '.join(map(repr, twice[:8]))}", hint="rename or drop one of each"
        )


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def _short(source: str) -> str:
    return source if source.startswith("sklearn:") else Path(source).name
