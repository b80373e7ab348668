"""Operations side by side: each with its figures, read from the store."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tutelage.analysis.compare import compare
from tutelage.analysis.series import noise, oriented
from tutelage.control import views
from tutelage.control.base import Base, found
from tutelage.control.judging import declarations, newest, objective_of
from tutelage.core import wire
from tutelage.core.errors import InvalidSpec
from tutelage.store import OperationRecord
from tutelage.store.store import Reading

LEAST_FOR_NOISE = 8
"""Points of a curve from which its noise is taken for known."""


def compared(base: Base, operation_ids: tuple[str, ...]) -> wire.Comparison:
    """Put operations side by side. Raises InvalidSpec for fewer than two."""
    if len(operation_ids) < 2:
        raise InvalidSpec(f"compare needs at least two operations, got {len(operation_ids)}")
    sides: list[wire.ComparedOperation] = []
    configs: dict[str, dict[str, Any]] = {}
    directions: dict[str, str | None] = {}
    with base.store.reading() as reading:
        for operation_id in operation_ids:
            record = found(reading, operation_id)
            sides.append(_side(base, reading, record))
            configs[record.id] = {**record.spec.get("config", {}), "seed": record.spec.get("seed")}
            service = base.service_of(record)
            if service:
                directions.update({name: item.direction for name, item in declarations(record, service).items()})
    return compare(sides, configs, directions=directions)


def _side(base: Base, reading: Reading, record: OperationRecord) -> wire.ComparedOperation:
    service = base.service_of(record)
    shown = views.operation(reading, record, service, now_s=base.clock())
    objective = objective_of(record, service) if service else None
    series = next(iter(reading.series(record.id, scope="", metrics=(objective,))), None) if objective else None
    curve = newest(reading, series) if series else []
    finite = oriented(curve, maximize=False)
    # One value a trial is no curve: its steps are different models.
    is_curve = service is not None and not service.judged and len(finite) >= LEAST_FOR_NOISE
    told = _told_error(reading, record, objective, shown.metrics.best)
    over_s = record.ended_at_s or base.clock()
    return wire.ComparedOperation(
        id=record.id,
        name=record.name,
        state=record.state,
        best=shown.metrics.best,
        noise=told if told is not None else noise(finite) if is_curve else None,
        final=curve[-1][1] if curve else None,
        mean=_mean(finite),
        latest=shown.metrics.latest,
        wall_s=round(over_s - record.started_at_s, 1) if record.started_at_s else None,
    )


def _told_error(
    reading: Reading, record: OperationRecord, objective: str | None, best: wire.Best | None
) -> float | None:
    """Return the standard error that the run itself told of its best value."""
    name = record.definitions.get(objective or "", {}).get("error")
    if best is None or not isinstance(name, str):
        return None
    series = next(iter(reading.series(record.id, scope="", metrics=(name,))), None)
    return dict(newest(reading, series)).get(best.step) if series else None


def _mean(curve: list[tuple[int, float]]) -> float | None:
    """Return the area under a curve by trapezoids, divided by the span of its steps."""
    if len(curve) < 2:
        return curve[0][1] if curve else None
    area = sum((after - before) * (low + high) / 2 for (before, low), (after, high) in pairwise(curve))
    return area / (curve[-1][0] - curve[0][0])
