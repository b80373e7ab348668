"""H103 explained variance below zero: the critic is worse than a constant."""

from __future__ import annotations

from tutelage.analysis.checks.signals import began, halves, issue, not_applicable, passed, skipped
from tutelage.analysis.series import Curve
from tutelage.core.wire import Finding


def explained_variance(curve: Curve) -> Finding:
    """Judge the declared share of the returns' variance that the critic explains."""
    if not curve:
        return not_applicable("H103")
    parts = halves(curve)
    if parts is None:
        return skipped("H103", curve)
    evidence = {"explained_variance": parts[1], "before": parts[0]}
    if parts[1] >= 0:
        return passed("H103", evidence)
    return issue(
        "H103",
        since_step=began(curve, lambda value: value < 0),
        evidence=evidence,
        suggestion="look at the critic: its learning rate, its clipping, the scale of the returns",
    )
