"""H101 entropy collapse: the policy stops exploring while its return is not at its best."""

from __future__ import annotations

from tutelage.analysis.checks.signals import MIN_VALUES, finite, halves, issue, not_applicable, passed, skipped
from tutelage.analysis.series import Curve
from tutelage.core.wire import Finding

COLLAPSED = 0.05
"""Share of the entropy that the policy began with."""


def entropy_collapse(entropy: Curve, *, is_improving: bool) -> Finding:
    """Judge the declared entropy of the policy (nats); a low one is fine while the return still improves."""
    if not entropy:
        return not_applicable("H101")
    parts, points = halves(entropy), finite(entropy)
    if parts is None:
        return skipped("H101", entropy)
    first = max(value for _, value in points[: MIN_VALUES // 2])
    evidence = {"entropy": parts[1], "first": first}
    if parts[1] >= COLLAPSED * first or is_improving:
        return passed("H101", evidence)
    since_step = next((step for step, value in points if value < COLLAPSED * first), points[-1][0])
    return issue(
        "H101",
        since_step=since_step,
        evidence=evidence,
        suggestion="raise the entropy bonus or lower the learning rate",
    )
