"""Names of operations: `op_` and 26 characters of a ULID in lower case, sortable by time."""

from __future__ import annotations

import re

from ulid import ULID

OPERATION_ID = re.compile(r"op_[0-9a-hjkmnp-tv-z]{26}\Z")


def new_operation_id() -> str:
    """Return a fresh operation id."""
    return f"op_{str(ULID()).lower()}"


def is_operation_id(text: str) -> bool:
    """Tell whether `text` has the form of an operation id."""
    return OPERATION_ID.match(text) is not None


def created_at_s(operation_id: str) -> float:
    """Return the moment that an operation id was made, seconds since the epoch."""
    return float(ULID.from_str(operation_id.removeprefix("op_").upper()).timestamp)
