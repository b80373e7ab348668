"""Reads Parquet and Arrow (Feather): from what their headers declare it is known what memory they ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tutelage.core.errors import MissingDependency
from tutelage.services.tabular.data.readers.base import Content, SourceFile, first_line, named
from tutelage.services.tabular.errors import DataUnreadable

PARQUET_MAGIC, ARROW_MAGIC, STREAM_MAGIC = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 8}
TEXT_WIDTH = 16
"""Bytes of a cell of text beside its characters."""

COPIES = 2.0
"""Arrow's table and the frame made of it."""


def is_parquet(head: bytes) -> bool:
    """Tell whether a file's first bytes are Parquet's."""
    return head.startswith(PARQUET_MAGIC)


def is_arrow(head: bytes) -> bool:
    """Tell whether a file's first bytes are those of an Arrow file (Feather 2) or stream."""
    return head.startswith((ARROW_MAGIC, STREAM_MAGIC))


def read_parquet(source: SourceFile) -> Content:
    """Read a Parquet file. Raises DataUnreadable, or MemoryLimit before anything is allocated."""
    return _read(source, "parquet", _parquet_table)


def read_arrow(source: SourceFile) -> Content:
    """Read an Arrow file or stream, batch by batch. Raises DataUnreadable or MemoryLimit."""
    return _read(source, "arrow", _arrow_table)


def _read(source: SourceFile, form: str, read: Callable[[SourceFile], Any]) -> Content:
    try:
        import pyarrow  # here: text is read without it
    except ImportError as error:
        raise MissingDependency(f"{form} needs the package pyarrow", hint="pip install 'tutelage[tabular]'") from error
    try:
        frame = read(source).to_pandas()
    except pyarrow.ArrowMemoryError as error:
        raise MemoryError(str(error)) from error
    except (pyarrow.ArrowException, OSError, ValueError, TypeError) as error:
        raise DataUnreadable(
            f"{source.name} is not valid {form.title()}: {first_line(error)}",
            hint="it is cut off or damaged: write it again",
        ) from error
    return Content(frame=_flat(named(frame, source.name)), format=form)


def _parquet_table(source: SourceFile) -> Any:
    from pyarrow import parquet

    with parquet.ParquetFile(source.path) as file:
        source.budget.check(COPIES * parquet_bytes(file.metadata), _asks(source, file.metadata))
        return file.read(use_threads=False)


def parquet_bytes(metadata: Any) -> float:
    """Return the memory that a file's own figures ask for: rows x widths of its columns, or its pages if they are more.

    The size of a file says nothing: one encoded value may stand for any number of rows.
    """
    widths = [
        WIDTHS.get(metadata.schema.column(index).physical_type, TEXT_WIDTH) for index in range(metadata.num_columns)
    ]
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
    values = sum(
        widths[index] * max(group.num_rows, group.column(index).num_values)
        for group in groups
        for index in range(metadata.num_columns)
    )
    return float(max(rows * sum(widths), values, sum(group.total_byte_size for group in groups)))


def _asks(source: SourceFile, metadata: Any) -> str:
    return f"{source.name}, with {metadata.num_rows:,} rows of {metadata.num_columns:,} columns,"


def _arrow_table(source: SourceFile) -> Any:
    import pyarrow
    from pyarrow import ipc

    opened = ipc.open_file if source.head.startswith(ARROW_MAGIC) else ipc.open_stream
    with pyarrow.OSFile(str(source.path)) as file, opened(file) as reader:
        batches, count = [], 0
        for batch in _batches(reader):
            count += batch.nbytes
            source.budget.check(COPIES * count, source.name)
            batches.append(batch)
        return pyarrow.Table.from_batches(batches, schema=reader.schema)


def _batches(reader: Any) -> Any:
    if hasattr(reader, "num_record_batches"):
        return (reader.get_batch(index) for index in range(reader.num_record_batches))
    return iter(reader)


def _flat(frame: Any) -> Any:
    """Return the frame with nested cells as text: a list is no cell of a table."""
    for name in frame.columns:
        column = frame[name]
        if column.dtype == object:
            frame[name] = column.map(
                lambda cell: str(cell) if isinstance(cell, dict | list) or _is_array(cell) else cell
            )
        elif str(column.dtype) == "category":
            frame[name] = column.astype(object)
    return frame


def _is_array(cell: Any) -> bool:
    return hasattr(cell, "tolist") and getattr(cell, "ndim", 0) > 0
