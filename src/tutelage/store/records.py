"""Rows as the control plane reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tutelage.core.operation import State


@dataclass(frozen=True, kw_only=True)
class OperationRecord:
    """An operation as it is stored; `wanted` is the verb that the supervisor waits to see followed."""

    id: str
    service: str
    name: str = ""
    notes: str = ""
    state: State = State.PENDING
    phase: str = ""
    waiting_for: Mapping[str, Any] | None = None
    attempt: int = 0
    num_restarts: int = 0
    executor: str = "local"
    spec: Mapping[str, Any]
    owner_name: str
    owner_kind: str
    tags: Mapping[str, str]
    progress: Mapping[str, Any]
    definitions: Mapping[str, Any]
    judged: Mapping[str, int | None] = field(default_factory=dict)
    """The scopes that carry the verdict -> the step at which their curves end, where that is known."""

    checkpoint_step: int | None = None
    created_at_s: float
    started_at_s: float | None = None
    ended_at_s: float | None = None
    wanted: str | None = None
    stopped_early: bool = False
    error: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    judgement: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class AttemptRecord:
    """One life of an operation's worker, and how far its event file was read."""

    operation: str
    attempt: int
    from_step: int | None
    process: Mapping[str, Any] | None
    started_at_s: float
    ended_at_s: float | None
    offset: int
    num_bad_lines: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One number at a step of a curve."""

    scope: str
    metric: str
    attempt: int
    step: int
    value: float


@dataclass(frozen=True, kw_only=True)
class SeriesRecord:
    """A curve at a glance; least and greatest are those of finite values, the earliest step wins."""

    id: int
    scope: str
    metric: str
    num_points: int
    num_repeated: int
    attempt: int
    last_step: int
    last_value: float
    min_step: int | None
    min_value: float | None
    max_step: int | None
    max_value: float | None


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One link of the chain."""

    entry: int
    operation: str
    decision: str
    kind: str
    at_s: float
    data: Mapping[str, Any]
    previous_hash: str
    hash: str
