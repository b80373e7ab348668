"""H102 KL blow-up: the policy moves ten times farther in an update than it used to."""

from __future__ import annotations

from tutelage.analysis.checks.signals import began, halves, issue, not_applicable, passed, skipped
from tutelage.analysis.series import Curve
from tutelage.core.wire import Finding

TIMES = 10.0
LEAST_NATS = 0.02
"""A smaller divergence is harmless, whatever it was before."""


def kl_blowup(kl: Curve) -> Finding:
    """Judge the declared KL divergence between the policies before and after an update (nats)."""
    if not kl:
        return not_applicable("H102")
    parts = halves(kl)
    if parts is None:
        return skipped("H102", kl)
    before, now = parts
    evidence = {"kl": now, "before": before}
    if now <= max(TIMES * before, LEAST_NATS):
        return passed("H102", evidence)
    return issue(
        "H102",
        since_step=began(kl, lambda value: value > max(TIMES * before, LEAST_NATS)),
        evidence=evidence,
        suggestion="lower the learning rate, take fewer epochs an update, or stop an update at a target KL",
    )
