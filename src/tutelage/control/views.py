"""From stored rows to the objects of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.control.judging import assessment_of, objective_of
from tutelage.control.pace import remaining_s
from tutelage.control.policies import pending
from tutelage.core import wire
from tutelage.core.clock import iso
from tutelage.core.commands import Verb
from tutelage.core.events import Event, EventKind
from tutelage.core.findings import NEEDS_SOMEBODY
from tutelage.core.operation import LIVE, State, commands_of
from tutelage.core.redaction import redacted
from tutelage.core.service import Service
from tutelage.core.spec import Resources
from tutelage.store import OperationRecord, curves
from tutelage.store.store import Reading
from tutelage.store.summaries import Summary

MAX_SCOPES = 200
ATTENTION_S = 24 * 3600
PLAIN = frozenset({EventKind.METRIC, EventKind.PROGRESS})
"""Kinds of events without a text that could hold a secret, and by far the most frequent."""


def operation(
    reading: Reading,
    record: OperationRecord,
    service: Service | None,
    *,
    now_s: float,
    spark: int = 0,
    summary: Summary | None = None,
) -> wire.Operation:
    """Return the wire's object for an operation; `service` None when it is no longer installed.

    `summary` is given where those of many operations were read at once.
    """
    summary = summary or reading.summaries((record.id,))[record.id]
    supports = service.supports if service else frozenset()
    return wire.Operation(
        id=record.id,
        service=record.service,
        name=record.name,
        notes=record.notes,
        state=record.state,
        phase=record.phase,
        waiting_for=_waiting(record),
        attempt=record.attempt,
        executor=record.executor,
        resources=Resources.model_validate(record.spec.get("resources", {})),
        progress=_progress(record, service, now_s),
        created_at=iso(record.created_at_s) or "",
        started_at=iso(record.started_at_s),
        ended_at=iso(record.ended_at_s),
        links=list(record.spec.get("links", [])),
        tags=dict(record.tags),
        metrics=_metrics(reading, record, service, summary, spark),
        owner=wire.Principal(name=record.owner_name, kind=record.owner_kind),
        attention=needs_somebody(record, now_s=now_s),
        commands=_commands(record, supports),
        assessment=assessment_of(record),
        policy=wire.PolicyState(pending=pending(record)),
        stopped_early=record.stopped_early,
        error=wire.ErrorInfo.model_validate(redacted(record.error)) if record.error else None,
        result=redacted(record.result) if record.result is not None else None,
    )


def _commands(record: OperationRecord, supports: frozenset[str]) -> dict[Verb, str | None]:
    return commands_of(
        record.state,
        supports=supports,
        approval=_is_approval(record),
        has_checkpoint=record.checkpoint_step is not None,
    )


def needs_somebody(record: OperationRecord, *, now_s: float) -> bool:
    """Tell whether an operation waits for somebody: an alarm on a live run, an approval, a fresh failure."""
    assessment = assessment_of(record)
    if record.state in LIVE and assessment and assessment.verdict in NEEDS_SOMEBODY:
        return True
    if record.state is State.PAUSED and _is_approval(record):
        return True
    is_fresh = record.ended_at_s is not None and now_s - record.ended_at_s < ATTENTION_S
    return record.state in (State.FAILED, State.INTERRUPTED) and is_fresh


def event(stored: Event) -> wire.Event:
    """Return the wire's object for an event."""
    return wire.Event(
        cursor=str(stored.row),
        seq=stored.seq,
        operation=stored.operation,
        kind=stored.kind,
        at=iso(stored.at_s) or "",
        scope=stored.scope,
        step=stored.step,
        attempt=stored.attempt,
        data=dict(stored.data) if stored.kind in PLAIN else redacted(stored.data),
    )


def service_info(service: Service, *, schema: Mapping[str, Any] | None = None) -> wire.ServiceInfo:
    """Return the wire's object for a service."""
    properties = (schema or {}).get("properties", {})
    return wire.ServiceInfo(
        name=service.name,
        about=service.about,
        unit=service.unit,
        scopes=dict(service.scopes),
        supports=sorted(service.supports),
        metrics=[
            wire.MetricInfo(name=m.name, about=m.about, direction=m.direction, unit=m.unit, pairs=m.pairs)
            for m in service.metrics
        ],
        tunables=[
            wire.TunableInfo(
                name=t.name, type="int" if t.type is int else "float", low=t.low, high=t.high, about=t.about
            )
            for t in service.tunables
        ],
        presets={name: dict(preset) for name, preset in service.presets.items()},
        commands={name: command.about for name, command in service.commands.items()},
        config_schema=dict(schema) if schema else None,
        defaults={key: item["default"] for key, item in properties.items() if "default" in item} if schema else None,
    )


def broken_service(name: str, why: str) -> wire.ServiceInfo:
    """Return the wire's object for a service that cannot be loaded."""
    return wire.ServiceInfo(
        name=name,
        about="cannot be loaded",
        unit="",
        scopes={},
        supports=[],
        available=False,
        missing=why,
        metrics=[],
        tunables=[],
        presets={},
        commands={},
    )


def _metrics(
    reading: Reading, record: OperationRecord, service: Service | None, summary: Summary, spark: int
) -> wire.MetricSummary:
    judged = record.judgement or {}
    return wire.MetricSummary(
        unit=service.unit if service else "step",
        latest={item.metric: item.last_value for item in summary.series},
        best=wire.Best.model_validate(judged["best"]) if judged.get("best") else None,
        steps_since_improvement=judged.get("steps_since_improvement"),
        scopes=list(summary.scopes[:MAX_SCOPES]),
        spark=_spark(reading, record, service, summary, spark) if spark and service else None,
    )


def _spark(
    reading: Reading, record: OperationRecord, service: Service, summary: Summary, points: int
) -> wire.Spark | None:
    """Return the judged curve, down-sampled to about `points`."""
    objective = objective_of(record, service)
    scope = (assessment.scope if (assessment := assessment_of(record)) else "") or ""
    known = reading.series(record.id, scope=scope) if scope else summary.series
    series = {item.metric: item for item in known}
    paired = [m.name for m in service.metrics if m.pairs and m.name in series]
    chosen = series.get(objective or "") or (series[paired[0]] if paired else None)
    if chosen is None:
        return None
    inside = curves.segments(reading.connection, chosen.id, chosen.attempt)
    steps = curves.pick_steps(reading.connection, chosen, inside, points)
    values = curves.read_values(reading.connection, chosen.id, inside, steps)
    return wire.Spark(metric=chosen.metric, scope=scope, points=sorted(values.items()))


def _progress(record: OperationRecord, service: Service | None, now_s: float) -> wire.Progress:
    done, total = record.progress.get("done"), record.progress.get("total")
    fraction = min(1.0, done / total) if total and done is not None else None
    eta_s = remaining_s(record, now_s=now_s)
    if record.state is State.COMPLETED:
        fraction = 1.0
    return wire.Progress(
        fraction=fraction,
        done=done,
        total=total,
        unit=record.progress.get("unit") or (service.unit if service else ""),
        eta_s=eta_s,
        message=record.progress.get("message", ""),
    )


def _waiting(record: OperationRecord) -> wire.WaitingFor | None:
    if record.waiting_for is None:
        return None
    given = record.waiting_for
    return wire.WaitingFor(kind=given["kind"], until=iso(given.get("until_s")), detail=given.get("detail", ""))


def _is_approval(record: OperationRecord) -> bool:
    return record.waiting_for is not None and record.waiting_for.get("kind") == "approval"
