"""How the state of an older checkpoint becomes one of the present version: named steps, each applied once, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Migrate = Callable[[dict[str, Any]], dict[str, Any]]


def first(state: dict[str, Any]) -> dict[str, Any]:
    """Begin: version 1 is the first that was written."""
    return state


MIGRATIONS: Mapping[str, Migrate] = {"first": first}
"""Never reorder or remove one: a checkpoint's `version` counts the steps it has seen."""

VERSION = len(MIGRATIONS)
