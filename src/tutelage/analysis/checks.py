"""The health checks, numbered. Each looks at one view of a run and says what it found, with its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tutelage.analysis.series import Curve, best, noise, oriented, trend
from tutelage.core.findings import Outcome, Severity
from tutelage.core.wire import Finding

MIN_EVALUATIONS = 8
LEAST_GAIN = 0.001
"""Share of the curve's span below which a gain is nothing, however free of noise the curve is."""
BASELINE_AFTER = 0.2
"""Share of the budget after which a run should beat its trivial baseline."""


def non_finite(curves: Mapping[str, Curve]) -> Finding:
    """H004: a NaN or infinity in any metric of the scope, at once and for good."""
    steps = {
        name: step
        for name, curve in curves.items()
        if (step := next((at for at, value in curve if not math.isfinite(value)), None)) is not None
    }
    if not curves:
        return Finding(code="H004", outcome=Outcome.NOT_APPLICABLE)
    if not steps:
        return Finding(code="H004", outcome=Outcome.PASSED)
    name, step = min(steps.items(), key=lambda item: item[1])
    value = next(value for at, value in curves[name] if at == step)
    return Finding(
        code="H004",
        outcome=Outcome.ISSUE,
        severity=Severity.CRITICAL,
        since_step=step,
        evidence={name: value},
        suggestion="stop, then branch from the last healthy checkpoint with a lower learning rate",
    )


def not_learning(
    *, best_value: float | None, baseline: float | None, maximize: bool, spread: float | None, fraction: float | None
) -> Finding:
    """H007: after 20 % of the budget the best value does not beat the trivial baseline by its error."""
    if best_value is None or baseline is None:
        return Finding(code="H007", outcome=Outcome.NOT_APPLICABLE)
    gain = (best_value - baseline) if maximize else (baseline - best_value)
    evidence = {"best": best_value, "baseline": baseline, "gain": gain}
    if spread is not None:
        evidence["error"] = spread
    if gain > (spread or 0.0):
        return Finding(code="H007", outcome=Outcome.PASSED, evidence=evidence)
    if fraction is None or fraction < BASELINE_AFTER:
        return Finding(code="H007", outcome=Outcome.SKIPPED, evidence=evidence)
    return Finding(
        code="H007",
        outcome=Outcome.ISSUE,
        severity=Severity.WARNING,
        evidence=evidence,
        suggestion="look at the features and the target: the model does no better than a constant",
    )


def still_improving(curve: Curve, *, maximize: bool) -> Finding:
    """H012: the newest part of the curve still gains more than twice its error and 0.1 % of its span.

    Information, not an alarm: `issue` means that a stop now would lose something.
    """
    values = oriented(curve, maximize=maximize)
    found = trend(values)
    if found is None:
        return Finding(code="H012", outcome=Outcome.SKIPPED, evidence={"evaluations": float(len(values))})
    evidence = {
        "slope": -found.slope if maximize else found.slope,
        "gain": found.gain,
        "error": found.error,
        "noise": noise(values),
    }
    top = best(values)
    at_the_end = top is not None and top.last_step >= found.first_step
    span = max(value for _, value in values) - min(value for _, value in values)
    if found.gain > max(2 * found.error, LEAST_GAIN * span) and at_the_end:
        return Finding(
            code="H012",
            outcome=Outcome.ISSUE,
            since_step=found.first_step,
            evidence=evidence,
            suggestion="let it run",
        )
    return Finding(code="H012", outcome=Outcome.PASSED, evidence=evidence)
