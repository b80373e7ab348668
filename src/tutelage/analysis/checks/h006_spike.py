"""H006 spike and recovery: a value far above those before it, and back again. Information only."""

from __future__ import annotations

from statistics import median

from tutelage.analysis.checks.signals import MIN_VALUES, issue, not_applicable, passed, skipped
from tutelage.analysis.series import Curve, noise
from tutelage.core.findings import Severity
from tutelage.core.wire import Finding

BEFORE = 9
"""A spike is held against the median of so many values before it, and is over within so many."""
NOISES = 8.0
SHARE_OF_SPAN = 0.1


def spike(curve: Curve) -> Finding:
    """Look for spikes in a finite, minimised curve; the newest one is told."""
    if not curve:
        return not_applicable("H006")
    if len(curve) < MIN_VALUES:
        return skipped("H006", curve)
    values = [value for _, value in curve]
    least = max(NOISES * noise(curve), SHARE_OF_SPAN * (median(values[:BEFORE]) - min(values)))
    heights = [
        (curve[i][0], values[i] - level)
        for i in range(BEFORE, len(values))
        if values[i] - (level := median(values[i - BEFORE : i])) > least and _recovers(values, i, level, least)
    ]
    if not heights:
        return passed("H006")
    step, height = heights[-1]
    return issue(
        "H006",
        since_step=step,
        evidence={"height": height, "threshold": least, "spikes": float(len(heights))},
        severity=Severity.INFO,
        suggestion="nothing to do: it recovered; often an odd batch or a learning rate at its limit",
    )


def _recovers(values: list[float], at: int, level: float, least: float) -> bool:
    return any(value - level < least / 2 for value in values[at + 1 : at + 1 + BEFORE])
