"""Folders of text, and Python's own library: a real corpus on every machine."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path

from tutelage.core.errors import InvalidSpec
from tutelage.services.cognate.data.sample import Sample
from tutelage.services.cognate.sources.base import Loaded, read_text

STDLIB, TEXT = "stdlib:python", "text"
SUFFIXES = frozenset({".txt", ".md", ".rst", ".py", ".tex", ".html", ".json", ".jsonl", ".csv", ".xml"})
NOT_LIBRARY = frozenset({"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"})
PART_CHARS = 32_768
"""A longer file becomes several documents, cut at line ends: one of them may then be held out."""


def load_stdlib() -> Loaded:
    """Return the modules of the running Python's library, without its tests."""
    root = Path(sysconfig.get_paths()["stdlib"])
    files = [path for path in sorted(root.rglob("*.py")) if NOT_LIBRARY.isdisjoint(path.relative_to(root).parts)]
    licence = f"PSF-2.0 (Python {sysconfig.get_python_version()})"
    return Loaded(name=STDLIB, samples=list(_samples(files, root, STDLIB)), held_out=(), files=files, licence=licence)


def load_folders(folders: Sequence[str]) -> Loaded:
    """Return every text file below the folders, in order of their paths. Raises InvalidSpec where there is none."""
    files: list[Path] = []
    samples: list[Sample] = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise InvalidSpec(f"text_dirs names {str(folder)!r}, which is no folder")
        found = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix.lower() in SUFFIXES]
        if not found:
            raise InvalidSpec(
                f"{str(folder)!r} holds no text file", hint=f"read are files that end in {', '.join(sorted(SUFFIXES))}"
            )
        files += found
        samples += _samples(found, folder, TEXT)
    named = [str(path) for folder in folders for path in sorted(Path(folder).glob("LICEN[CS]E*"))]
    return Loaded(name=TEXT, samples=samples, held_out=(), files=files, licence=", ".join(named) or "not stated")


def _samples(files: Sequence[Path], root: Path, dataset: str) -> Iterator[Sample]:
    for path in files:
        for number, part in enumerate(_parts(read_text(path))):
            if part.strip():
                yield Sample.of(part, dataset, metadata={"path": path.relative_to(root).as_posix(), "part": number})


def _parts(text: str) -> Iterator[str]:
    lines: list[str] = []
    size = 0
    for line in text.splitlines(keepends=True):
        lines.append(line)
        size += len(line)
        if size >= PART_CHARS:
            yield "".join(lines)
            lines, size = [], 0
    yield "".join(lines)
