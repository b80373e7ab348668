"""Reads delimited text (CSV): delimiter, encoding and packing are sniffed, irregular rows are refused by number."""

from __future__ import annotations

import codecs
import csv
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import pandas as pd

from tutelage.services.tabular.data.readers.base import (
    SAMPLE_BYTES,
    Content,
    SourceFile,
    check_names,
    first_line,
)
from tutelage.services.tabular.data.readers.packed import blocks, unpacked
from tutelage.services.tabular.errors import DataEmpty, DataUnreadable

DELIMITERS = (",", ";", "\t", "|")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
MEMORY_A_BYTE = 3.0
"""Memory of the frame and of its reading for each byte of text, as measured with short cells of text."""

NAMELESS = "Unnamed: 0"
"""The name of a first column without one: pandas and R write the rows' names so."""

MAX_CELL_CHARS = 2**31 - 1
REGULAR = "every row needs as many fields as the header; quote fields that hold the delimiter"


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What one pass over the bytes says."""

    num_bytes: int
    first_nul: int | None
    first_not_utf8: int | None


def read_delimited(source: SourceFile) -> Content:
    """Read a whole file. Raises DataUnreadable, DataEmpty, DuplicateColumns or MemoryLimit."""
    with unpacked(source.path, source.head) as file:
        sample = file.read(SAMPLE_BYTES)
    if not sample.strip():
        raise DataEmpty(f"{source.name} holds nothing", hint="give a table with a header line and rows")
    encoding = sniff_encoding(sample, source.name)
    with unpacked(source.path, source.head) as file:
        scan = _scan(file, source)
    encoding, notes = _settled(encoding, scan, source)
    delimiter = sniff_delimiter(sample.decode(encoding, errors="ignore"))
    with unpacked(source.path, source.head) as file:
        names = _header(file, source, encoding=encoding, delimiter=delimiter)
    with unpacked(source.path, source.head) as file:
        frame = _parse(file, source, encoding=encoding, delimiter=delimiter)
    frame.columns = names
    _check_short_rows(frame, source, encoding=encoding, delimiter=delimiter)
    return Content(frame=frame.reset_index(drop=True), format="csv", notes=tuple(notes))


def _scan(file: IO[bytes], source: SourceFile) -> Scan:
    """Count the bytes, and find the first that are no text; stops where the memory would not do."""
    count, first_nul, first_odd = 0, None, None
    decoder = codecs.getincrementaldecoder("utf-8")()
    for block in blocks(file):
        if first_nul is None and (at := block.find(b"\0")) >= 0:
            first_nul = count + at
        if first_odd is None:
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                first_odd = count + error.start
        count += len(block)
        source.budget.check(count * MEMORY_A_BYTE, source.name)
    return Scan(num_bytes=count, first_nul=first_nul, first_not_utf8=first_odd)


def _settled(encoding: str, scan: Scan, source: SourceFile) -> tuple[str, list[str]]:
    """Return the encoding of the whole file, and a note where it is no UTF-8."""
    if encoding.startswith("utf-16"):
        return encoding, [f"{source.name} is read as {encoding}"]
    if scan.first_nul is not None:
        raise DataUnreadable(
            f"{source.name} holds a NUL byte at byte {scan.first_nul:,}, which no text has",
            hint="the file is damaged or binary: write it again as text",
        )
    if scan.first_not_utf8 is None:
        return encoding, []
    note = f"{source.name} is read as Windows-1252: its byte {scan.first_not_utf8:,} is no UTF-8"
    return "cp1252", [note]


def _header(file: IO[bytes], source: SourceFile, *, encoding: str, delimiter: str) -> list[str]:
    """Return the columns' names. Raises DuplicateColumns, or DataUnreadable for a column without a name."""
    first = _read_csv(file, source, encoding=encoding, delimiter=delimiter, header=None, nrows=1, dtype=str)
    if first.empty:
        raise DataEmpty(f"{source.name} has no columns", hint="give a table with a header line and rows")
    names = check_names(["" if pd.isna(cell) else str(cell) for cell in first.iloc[0]], source.name)
    nameless = [index + 1 for index, name in enumerate(names) if not name]
    if nameless and nameless != [1]:
        raise DataUnreadable(
            f"{source.name} has no name for column {', '.join(map(str, nameless[:8]))} of {len(names)}",
            hint="name every column in the first line; a delimiter at its end makes a column too",
        )
    return [name or NAMELESS for name in names]


def _parse(file: IO[bytes], source: SourceFile, *, encoding: str, delimiter: str) -> Any:
    frame = _read_csv(file, source, encoding=encoding, delimiter=delimiter, header=0)
    if not isinstance(frame.index, pd.RangeIndex):  # pandas makes an index of fields that have no name
        raise DataUnreadable(f"{source.name} has rows with more fields than the header", hint=REGULAR)
    return frame


def _read_csv(file: IO[bytes], source: SourceFile, *, encoding: str, delimiter: str, **more: Any) -> Any:
    try:
        with warnings.catch_warnings(), _text(file, encoding) as text:
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                text,
                sep=delimiter,
                skipinitialspace=True,
                low_memory=False,
                **more,
            )
    except pd.errors.EmptyDataError as error:
        raise DataEmpty(f"{source.name} has no columns", hint="give a table with a header line and rows") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError) as error:
        if "out of memory" in str(error):  # the parser's own word for it
            raise MemoryError(str(error)) from error
        raise DataUnreadable(f"{source.name} is not a regular table: {first_line(error)}", hint=REGULAR) from error


def _text(file: IO[bytes], encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")


def _check_short_rows(frame: Any, source: SourceFile, *, encoding: str, delimiter: str) -> None:
    """Refuse rows with fewer fields than the header: pandas fills them up, and cells would be in wrong columns."""
    if frame.shape[1] < 2 or not len(frame) or not frame.iloc[:, -1].isna().any():
        return
    with unpacked(source.path, source.head) as file, _text(file, encoding) as text:
        short = list(_short_rows(text, delimiter, frame.shape[1]))
    if short:
        line, count = short[0]
        raise DataUnreadable(
            f"{source.name} has {len(short)} rows with fewer fields than the header, first in line {line}: "
            f"{count} of {frame.shape[1]}",
            hint=REGULAR,
        )


def _short_rows(text: io.TextIOWrapper, delimiter: str, width: int) -> Iterator[tuple[int, int]]:
    before = csv.field_size_limit(MAX_CELL_CHARS)
    try:
        reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True)
        yield from ((reader.line_num, len(row)) for row in reader if row and len(row) < width)
    finally:
        csv.field_size_limit(before)


def sniff_encoding(sample: bytes, name: str) -> str:
    """Return the encoding of a text sample. Raises DataUnreadable for bytes that are no text."""
    for bom, encoding in BOMS:
        if sample.startswith(bom):
            return encoding
    pairs = len(sample) // 2
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if pairs >= 4 and sample[start::2].count(0) > 0.7 * pairs and not sample[1 - start :: 2].count(0):
            return encoding
    control = sum(byte < 9 or 13 < byte < 32 for byte in sample)
    if control > len(sample) // 100:
        raise DataUnreadable(
            f"{name} is binary, not a table (starts with {sample[:8].hex(' ')})",
            hint="give CSV, Parquet, JSON lines, Arrow or Excel",
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
