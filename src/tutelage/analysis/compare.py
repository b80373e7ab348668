"""Operations side by side: which settings differ, and which is ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tutelage.analysis.significance import significance
from tutelage.analysis.wording import spoken
from tutelage.core.wire import ComparedOperation, Comparison


def compare(
    operations: Sequence[ComparedOperation],
    configs: Mapping[str, Mapping[str, Any]],
    *,
    directions: Mapping[str, str | None],
) -> Comparison:
    """Compare operations by their best value of the metric that counts.

    The sentence says whether the difference exceeds chance, where replicas or the runs' noise can tell.
    """
    flat = {operation_id: flatten(config) for operation_id, config in configs.items()}
    keys = sorted({key for config in flat.values() for key in config})
    differing = {
        key: {operation_id: config.get(key) for operation_id, config in flat.items()}
        for key in keys
        if len({repr(config.get(key)) for config in flat.values()}) > 1
    }
    metrics = {item.best.metric for item in operations if item.best}
    metric = metrics.pop() if len(metrics) == 1 else None
    direction = directions.get(metric or "")
    told = significance(operations, flat, maximize=direction == "maximize") if metric and direction else None
    return Comparison(
        metric=metric,
        sentence=told.sentence if told else _sentence(operations, metric, direction),
        significance=told,
        operations=list(operations),
        config_diff=differing,
        num_equal_settings=len(keys) - len(differing),
    )


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested config as dotted key -> value."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _sentence(operations: Sequence[ComparedOperation], metric: str | None, direction: str | None) -> str:
    rated = [(item.best.value, item) for item in operations if item.best]
    if metric is None or direction is None or len(rated) < 2:
        return "They share no metric that counts, so none is ahead."
    ordered = sorted(rated, key=lambda pair: pair[0], reverse=direction == "maximize")
    (first, ahead), (second, behind) = ordered[0], ordered[1]
    if first == second:
        return f"No difference: both reach {metric} {spoken(first)}."
    return (
        f"{ahead.name or ahead.id} is ahead of {behind.name or behind.id} by {spoken(abs(first - second))} "
        f"in best {metric}; whether that exceeds chance was not measured."
    )
