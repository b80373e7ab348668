"""Paths in specs: a key that ends in `path`, `Path`, `dir` or `Dir` names a file or folder.

The client makes them absolute against the spec's folder; the server refuses relative ones.
A value with a scheme (`sklearn:wine`, `postgresql://...`) is a source, not a path; the file of a `sqlite:///file.db`
is one, and is resolved inside it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PATH_KEY = re.compile(r"(?:^|_|[a-z])(?:[pP]ath|[dD]ir)s?\Z")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")

SQLITE = re.compile(r"(?P<scheme>sqlite(?:\+\w+)?:///)(?P<file>(?!:memory:)[^/?][^?]*)(?P<rest>.*)", re.DOTALL)
"""A database file by a relative path; an absolute one has a fourth slash."""


def is_path_key(key: str) -> bool:
    """Tell whether the values under `key` are file paths."""
    return PATH_KEY.search(key) is not None


def is_relative(value: str) -> bool:
    """Tell whether `value` is a file path that still depends on a folder."""
    if SCHEME.match(value):
        return SQLITE.fullmatch(value) is not None
    return bool(value) and not os.path.isabs(value)


def absolute_paths(document: Any, base: Path) -> Any:
    """Return `document` with every relative path resolved against `base`."""

    def resolve(value: str) -> str:
        database = SQLITE.fullmatch(value)
        if database:
            return database["scheme"] + resolve(database["file"]) + database["rest"]
        return os.path.normpath(base / os.path.expanduser(value)) if is_relative(value) else value

    return map_paths(document, resolve)


def map_paths(document: Any, change: Callable[[str], str]) -> Any:
    """Return `document` with every text under a key that names paths changed."""
    return _map_paths(document, change, under_path=False)


def relative_paths(document: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield (place, value) of each relative path in `document`."""
    if isinstance(document, dict):
        for key, value in document.items():
            place = f"{at}.{key}" if at else str(key)
            values = value if isinstance(value, list) else [value]
            texts = [text for text in values if isinstance(text, str)]
            if is_path_key(str(key)):
                yield from ((place, text) for text in texts if is_relative(text))
            yield from relative_paths(value, place)
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from relative_paths(value, f"{at}[{index}]")


def _map_paths(node: Any, change: Callable[[str], str], *, under_path: bool) -> Any:
    if isinstance(node, dict):
        return {key: _map_paths(value, change, under_path=is_path_key(str(key))) for key, value in node.items()}
    if isinstance(node, list):
        return [_map_paths(value, change, under_path=under_path) for value in node]
    if under_path and isinstance(node, str):
        return change(node)
    return node
