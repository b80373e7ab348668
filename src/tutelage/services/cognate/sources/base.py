"""What every source answers, and how its files are read: a damaged one is named with its line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.core.errors import DamagedFile, TrainingError
from tutelage.services.cognate.data.sample import Sample


class SourceMissing(TrainingError):
    """A source of texts that is nowhere to be found."""

    code = "source_missing"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The samples of one source: `held_out` where the source itself keeps some apart, else empty."""

    name: str
    samples: Sequence[Sample]
    held_out: Sequence[Sample]
    files: Sequence[Path]
    licence: str

    def summary(self) -> dict[str, Any]:
        """Return the source's entry in `download_summary.json`: rows, SHA-256 of each file, licence."""
        return {
            "rows": len(self.samples) + len(self.held_out),
            "held_out_rows": len(self.held_out),
            "licence": self.licence,
            "sha256": sha256_of_all(self.files),
            "files": [str(path) for path in self.files[:20]],
            "num_files": len(self.files),
        }


def sha256_of_all(files: Sequence[Path]) -> str:
    """Return one SHA-256 over the contents of files, in their order."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def json_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (line number, object) of a JSON lines file. Raises DamagedFile with file and line."""
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise damaged(path, number, f"is no JSON: {error}") from None
        if not isinstance(row, Mapping):
            raise damaged(path, number, f"holds {type(row).__name__}, not an object")
        yield number, row


def json_rows(path: Path) -> list[Mapping[str, Any]]:
    """Return the objects of a JSON list. Raises DamagedFile with file and line."""
    try:
        rows = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise damaged(path, error.lineno, f"is no JSON: {error.msg}") from None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise damaged(path, 1, "does not begin a list of objects")
    return rows


def text_of(row: Mapping[str, Any], key: str, path: Path, line: int) -> str:
    """Return a text or number of a row as text. Raises DamagedFile where it is missing."""
    value = row.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value).strip():
        raise damaged(path, line, f"has no text under {key!r}")
    return str(value).strip()


def read_text(path: Path) -> str:
    """Return a UTF-8 file's text. Raises DamagedFile with the line of the first byte that is not."""
    block = path.read_bytes()
    try:
        return block.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise damaged(path, block[: error.start].count(b"\n") + 1, "is not UTF-8") from None


def damaged(path: Path, line: int, what: str) -> DamagedFile:
    """Build the error for a line that cannot be read."""
    return DamagedFile(f"{path}, line {line} {what}", hint="correct or remove that line; nothing was trained")
