"""H011 throughput drop: a step takes more than twice its median time."""

from __future__ import annotations

from tutelage.analysis.checks.signals import began, halves, issue, not_applicable, passed, skipped
from tutelage.analysis.series import Curve
from tutelage.core.wire import Finding

TIMES = 2.0


def throughput(step_time: Curve, rate: Curve) -> Finding:
    """Judge the declared time of a step (less is better), else the declared rate (more is better)."""
    curve = step_time or rate
    if not curve:
        return not_applicable("H011")
    parts = halves(curve)
    if parts is None:
        return skipped("H011", curve)
    before, now = parts
    evidence = {"before": before, "now": now}
    slower = now > TIMES * before if step_time else TIMES * now < before
    if not slower:
        return passed("H011", evidence)
    return issue(
        "H011",
        since_step=began(curve, lambda value: value > TIMES * before if step_time else TIMES * value < before),
        evidence=evidence,
        suggestion="look at what else runs on the machine, at the data loader and at memory",
    )
