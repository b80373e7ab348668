"""What the checks of side signals share: a curve's finite values, medians of its parts, the shape of an answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import median

from tutelage.analysis.series import Curve
from tutelage.core.findings import Outcome, Severity
from tutelage.core.wire import Finding

MIN_VALUES = 16
"""A side signal that is shorter says nothing."""
NEWEST = 8
"""So many newest values are held against the others."""


def finite(curve: Curve) -> list[tuple[int, float]]:
    """Return the points whose value is finite."""
    return [(step, value) for step, value in curve if math.isfinite(value)]


def halves(curve: Curve) -> tuple[float, float] | None:
    """Return the median of all but the newest eight finite values, and that of the newest; None below sixteen."""
    values = [value for _, value in finite(curve)]
    if len(values) < MIN_VALUES:
        return None
    return median(values[:-NEWEST]), median(values[-NEWEST:])


def began(curve: Curve, is_wrong: Callable[[float], bool]) -> int | None:
    """Return the first step of the stretch up to now whose values are wrong, so that it stays where it is as more come.

    Fewer than four values in a row that are not wrong do not end the stretch.
    """
    since, num_right = None, 0
    for step, value in reversed(finite(curve)):
        if is_wrong(value):
            since, num_right = step, 0
            continue
        num_right += 1
        if since is not None and num_right >= NEWEST // 2:
            break
    return since


def skipped(code: str, curve: Curve) -> Finding:
    """Say that the signal is there but too short."""
    return Finding(code=code, outcome=Outcome.SKIPPED, evidence={"values": float(len(curve))})


def not_applicable(code: str) -> Finding:
    """Say that the run reports no such signal."""
    return Finding(code=code, outcome=Outcome.NOT_APPLICABLE)


def passed(code: str, evidence: Mapping[str, float] | None = None) -> Finding:
    """Say that nothing is wrong."""
    return Finding(code=code, outcome=Outcome.PASSED, evidence=dict(evidence or {}))


def issue(
    code: str,
    *,
    since_step: int | None,
    evidence: Mapping[str, float],
    suggestion: str,
    severity: Severity = Severity.WARNING,
) -> Finding:
    """Say what is wrong, since when, by which numbers, and what to do."""
    return Finding(
        code=code,
        outcome=Outcome.ISSUE,
        severity=severity,
        since_step=since_step,
        evidence=dict(evidence),
        suggestion=suggestion,
    )
