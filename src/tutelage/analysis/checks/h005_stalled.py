"""H005 stalled: no step for five times the median interval, or no heartbeat."""

from __future__ import annotations

from tutelage.analysis.checks.signals import issue, not_applicable, passed
from tutelage.core.findings import Severity
from tutelage.core.wire import Finding

INTERVALS = 5.0
LEAST_S = 60.0
"""A shorter silence is no stall: saving and evaluating take their time."""
HEARTBEAT_S = 60.0
"""The worker samples its system every 5 s; after so long without, it is gone or hangs."""


def stalled(
    *, silent_s: float | None, interval_s: float | None, heartbeat_s: float | None, last_step: int | None
) -> Finding:
    """Judge how long nothing was heard: `silent_s` since the last step, `heartbeat_s` since the last sign of life.

    `interval_s` is the median time between steps. None stands for what is not known, or for a run that does not train.
    """
    if silent_s is None:
        return not_applicable("H005")
    evidence = {"silent_s": silent_s}
    if interval_s is not None:
        evidence["interval_s"] = interval_s
    if heartbeat_s is not None:
        evidence["heartbeat_s"] = heartbeat_s
    is_late = interval_s is not None and silent_s > max(INTERVALS * interval_s, LEAST_S)
    is_dead = heartbeat_s is not None and heartbeat_s > HEARTBEAT_S and silent_s > HEARTBEAT_S
    if not is_late and not is_dead:
        return passed("H005")  # without figures that differ at each look: nothing would be news
    return issue(
        "H005",
        since_step=last_step,
        evidence=evidence,
        severity=Severity.CRITICAL,
        suggestion="look at the log and at the machine; cancel and resume from the newest checkpoint if it hangs",
    )
