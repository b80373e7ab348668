"""Reads `default.toml`: the one place where settings and presets have their values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import partial
from importlib import resources
from typing import Any

_DOCUMENT = tomllib.loads(resources.files(__package__).joinpath("default.toml").read_text(encoding="utf-8"))

PRESETS: Mapping[str, Mapping[str, Any]] = _DOCUMENT["presets"]
"""Preset -> section -> the settings in which it differs."""


def default(section: str, name: str) -> Any:
    """Return the value that `default.toml` gives a setting."""
    return _DOCUMENT[section][name]


def of(section: str) -> partial[Any]:
    """Return `default` of one section."""
    return partial(default, section)


def merged(*documents: Mapping[str, Any]) -> dict[str, Any]:
    """Return the documents laid over one another, section by section; later ones win."""
    result: dict[str, Any] = {}
    for document in documents:
        for key, value in document.items():
            both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
            result[key] = {**result[key], **value} if both else value
    return result
