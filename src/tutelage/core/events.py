"""Events: immutable facts from or about an operation, and the line in which a worker writes one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tutelage.core.numbers import to_json_number


class EventKind(StrEnum):
    """What an event says."""

    STATE = "state"
    ATTEMPT_STARTED = "attempt_started"
    METRIC = "metric"
    PROGRESS = "progress"
    PHASE = "phase"
    LOG = "log"
    SAMPLE = "sample"
    CHECKPOINT = "checkpoint"
    ARTIFACT = "artifact"
    FINDING = "finding"
    VERDICT = "verdict"
    COMMAND = "command"
    APPLIED = "applied"
    USED = "used"
    ERROR = "error"
    RESULT = "result"


FROM_WORKER = frozenset(
    {
        EventKind.STATE,
        EventKind.ATTEMPT_STARTED,
        EventKind.METRIC,
        EventKind.PROGRESS,
        EventKind.PHASE,
        EventKind.LOG,
        EventKind.SAMPLE,
        EventKind.CHECKPOINT,
        EventKind.ARTIFACT,
        EventKind.APPLIED,
        EventKind.ERROR,
        EventKind.RESULT,
    }
)
"""Kinds a worker may write; the rest is written by the supervisor."""

MAX_LINE_BYTES = 1 << 20
"""A longer line of an event file is refused and counted, not stored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """An event before it is stored: what happened, when, and in which scope and step."""

    kind: EventKind
    at_s: float
    data: Mapping[str, Any] = field(default_factory=dict)
    scope: str = ""
    step: int | None = None
    attempt: int = 0
    offset: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A stored event: `row` is the cursor over all operations, `seq` dense within one."""

    row: int
    seq: int
    operation: str
    kind: EventKind
    at_s: float
    data: Mapping[str, Any]
    scope: str
    step: int | None
    attempt: int


class BadLine(ValueError):
    """A line of an event file that is not an event."""


def encode_line(draft: Draft) -> bytes:
    """Return the line of an event file, newline included; non-finite values by name."""
    record: dict[str, Any] = {"k": draft.kind, "t": round(draft.at_s, 3)}
    if draft.scope:
        record["s"] = draft.scope
    if draft.step is not None:
        record["i"] = draft.step
    record["d"] = dict(draft.data)
    try:
        text = _JSON.encode(record)
    except ValueError:
        record["d"] = _finite(record["d"])
        text = _JSON.encode(record)
    return text.encode() + b"\n"


def decode_line(line: bytes, *, attempt: int, offset: int) -> Draft:
    """Read one line of an event file.

    Raises BadLine when it is not JSON, has no known kind, or a kind that no worker may write.
    """
    if len(line) > MAX_LINE_BYTES:
        raise BadLine(f"a line of {len(line):,} bytes is over the limit of {MAX_LINE_BYTES:,}")
    try:
        record = json.loads(line)
        kind = EventKind(record["k"])
        scope, step = str(record.get("s", "")), record.get("i")
        draft = Draft(
            kind=kind, at_s=float(record["t"]), data=record["d"], scope=scope, step=step, attempt=attempt, offset=offset
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadLine(f"not an event: {error}") from error
    if kind not in FROM_WORKER:
        raise BadLine(f"a worker may not write {kind} events")
    if not isinstance(draft.data, dict) or not (step is None or isinstance(step, int)):
        raise BadLine("an event needs an object as data and a whole number as step")
    return draft


def _plain(value: Any) -> Any:
    """Turn NumPy scalars and the like into plain numbers; refuse what has no plain form."""
    item = getattr(value, "item", None)
    if callable(item):
        plain = item()
        return to_json_number(plain) if isinstance(plain, float) else plain
    raise TypeError(f"an event holds JSON values, got {type(value).__name__}")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return to_json_number(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


_JSON = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_plain)
"""Made once: json.dumps makes an encoder for each call that has options."""
