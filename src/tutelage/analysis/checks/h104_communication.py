"""H104 agents do not communicate: messages hardly change what their hearers do, and the return shows it."""

from __future__ import annotations

from tutelage.analysis.checks.signals import began, halves, issue, not_applicable, passed, skipped
from tutelage.analysis.series import Curve
from tutelage.core.wire import Finding

LEAST_INFLUENCE = 0.05


def communication(influence: Curve, *, best: float | None, no_channel_bound: float | None, error: float) -> Finding:
    """Judge the declared causal influence of messages; `best` return and the bound without a channel, both minimised.

    An influence below 0.05 is an issue where the return is no better than the best that silent agents can reach.
    """
    if not influence:
        return not_applicable("H104")
    parts = halves(influence)
    if parts is None:
        return skipped("H104", influence)
    evidence = {"causal_influence": parts[1]}
    is_at_bound = best is None or no_channel_bound is None or best >= no_channel_bound - error
    if parts[1] >= LEAST_INFLUENCE or not is_at_bound:
        return passed("H104", evidence)
    return issue(
        "H104",
        since_step=began(influence, lambda value: value < LEAST_INFLUENCE),
        evidence=evidence,
        suggestion="the messages are not used: reward what only they can tell, or widen the channel",
    )
