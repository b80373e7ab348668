"""Reads a folder of parts: files of one form and the same columns, in the order of their names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from tutelage.services.tabular.data.limits import Budget
from tutelage.services.tabular.data.readers.base import Content, SourceFile, file_hash, open_source
from tutelage.services.tabular.errors import DataEmpty, DataUnreadable

MAX_NAMES = 8
SKIPPED = (".", "_")
"""Names that begin so are no parts: hidden files, and markers such as _SUCCESS."""


def read_folder(path: Path, budget: Budget, read_file: Callable[[SourceFile], Content]) -> Content:
    """Read every part and join them. Raises DataUnreadable naming the part that does not fit, or DataEmpty."""
    parts = _parts(path)
    contents: list[Content] = []
    filled = 0.0
    for part in parts:
        content = read_file(open_source(part, budget))
        _check_alike(part, content, parts[0], contents[0] if contents else content)
        filled += float(content.frame.memory_usage(deep=True).sum())
        budget.check(2 * filled, f"the folder {path.name}")
        contents.append(content)
    names = list(contents[0].frame.columns)
    frame = pd.concat([content.frame[names] for content in contents], ignore_index=True)
    notes = [f"{len(parts)} parts of {path.name} are read, from {parts[0].name} to {parts[-1].name}"]
    return Content(
        frame=frame,
        format=f"{contents[0].format} parts",
        notes=(*notes, *(note for content in contents for note in content.notes)),
        sha256=_hash_of_all(parts),
    )


def _parts(path: Path) -> list[Path]:
    inside = sorted(item for item in path.iterdir() if not item.name.startswith(SKIPPED))
    folders = [item.name for item in inside if item.is_dir()]
    if folders:
        raise DataUnreadable(
            f"{path.name} holds folders: {', '.join(folders[:MAX_NAMES])}", hint="put the parts into one folder"
        )
    if not inside:
        raise DataEmpty(f"the folder {path.name} holds no file", hint="give at least one part")
    return inside


def _check_alike(part: Path, content: Content, first: Path, like: Content) -> None:
    if content.format != like.format:
        raise DataUnreadable(
            f"{part.name} is {content.format}, and {first.name} is {like.format}", hint="parts have one form"
        )
    names, wanted = set(content.frame.columns), set(like.frame.columns)
    if names != wanted:
        differ = [f"{name!r} is missing" for name in sorted(wanted - names)]
        differ += [f"{name!r} is new" for name in sorted(names - wanted)]
        raise DataUnreadable(
            f"{part.name} has other columns than {first.name}: {', '.join(differ[:MAX_NAMES])}",
            hint="parts have the same columns; remove what is no part from the folder",
        )


def _hash_of_all(parts: list[Path]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(f"{part.name}\0{file_hash(part)}\n".encode())
    return whole.hexdigest()
