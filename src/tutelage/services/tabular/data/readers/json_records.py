"""Reads JSON: one object a line, or one array of objects. Nested values are kept as JSON text, and said so."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import IO, Any

import pandas as pd

from tutelage.services.tabular.data.readers.base import Content, SourceFile, check_names
from tutelage.services.tabular.data.readers.packed import blocks, unpacked
from tutelage.services.tabular.errors import DataEmpty, DataUnreadable, DuplicateColumns

ENDINGS = (".json", ".jsonl", ".ndjson")
MEMORY_A_BYTE = 8.0
"""Memory of the objects and of the frame for each byte of JSON: every cell is an object of its own while it is read."""

FORM = 'one object a line, as in {"age": 42}, or an array of such objects'


def is_json(text: bytes) -> bool:
    """Tell whether a file's first bytes begin with an object or an array of objects."""
    start = text.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"[":
        return start[1:].lstrip()[:1] in (b"{", b"]", b"")
    return start[:1] == b"{" and start[1:].lstrip()[:1] in (b'"', b"}", b"")


def read_json(source: SourceFile) -> Content:
    """Read a file of records. Raises DataUnreadable with the line, DataEmpty, DuplicateColumns or MemoryLimit."""
    with unpacked(source.path, source.head) as file:
        text = _text(file, source)
    is_array = text.lstrip()[:1] == "["
    records = _array(text, source) if is_array else list(_lines(text, source))
    if not records:
        raise DataEmpty(f"{source.name} holds no record", hint=f"give {FORM}")
    frame = pd.DataFrame.from_records(records)
    frame.columns = check_names([str(name) for name in frame.columns], source.name)
    nested = [name for name in frame.columns if frame[name].map(_is_nested).any()]
    for name in nested:
        frame[name] = frame[name].map(lambda cell: json.dumps(cell, sort_keys=True) if _is_nested(cell) else cell)
    notes = [f"column {name!r} of {source.name} holds nested values; they are read as JSON text" for name in nested]
    return Content(frame=frame, format="json" if is_array else "jsonl", notes=tuple(notes))


def _text(file: IO[bytes], source: SourceFile) -> str:
    parts, count = [], 0
    for block in blocks(file):
        count += len(block)
        source.budget.check(count * MEMORY_A_BYTE, source.name)
        parts.append(block)
    try:
        return b"".join(parts).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataUnreadable(
            f"{source.name} is no UTF-8 at byte {error.start:,}", hint="JSON is written in UTF-8: write it again"
        ) from error


def _lines(text: str, source: SourceFile) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(io.StringIO(text), start=1):
        if line.strip():
            yield _record(_parse(line, source, f"line {number}"), source, f"line {number}")


def _array(text: str, source: SourceFile) -> list[dict[str, Any]]:
    found = _parse(text, source, "")
    return [_record(item, source, f"item {index}") for index, item in enumerate(found)]


def _parse(text: str, source: SourceFile, place: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (json.JSONDecodeError, RecursionError) as error:
        at = place or (f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "some line")
        why = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
        raise DataUnreadable(f"{source.name} is no valid JSON in {at}: {why}", hint=f"give {FORM}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DuplicateColumns(f"a JSON object has the key {twice!r} twice", hint="rename or drop one of each")
    return found


def _record(item: Any, source: SourceFile, place: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise DataUnreadable(f"{source.name} holds {str(item)[:40]!r} in {place}, no object", hint=f"give {FORM}")
    return item


def _is_nested(cell: Any) -> bool:
    return isinstance(cell, dict | list)
