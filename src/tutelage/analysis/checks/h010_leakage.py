"""H010 leakage hint: validation persistently better than train, or a loss that is too good to be true."""

from __future__ import annotations

import math

from tutelage.analysis.checks.signals import MIN_VALUES, began, issue, not_applicable, passed
from tutelage.analysis.pair import Pair
from tutelage.core.findings import Outcome, Severity
from tutelage.core.wire import Finding

PERSISTENT = 0.9
"""Share of the evaluations at which validation is better."""
NOISES = 2.0
"""By so many noises of the difference, in the median."""
PERFECT = 1e-4
"""A loss below this share of where it began is suspicious."""


def leakage(pair: Pair) -> Finding:
    """Judge a curve and its twin. Dropout and augmentation do the first of it too: a hint, no proof."""
    num = len(pair)
    if not pair.has_train or not num:
        return not_applicable("H010")
    if num < MIN_VALUES:
        return Finding(code="H010", outcome=Outcome.SKIPPED, evidence={"evaluations": float(num)})
    gaps = sorted(train - val for train, val in zip(pair.train.raw, pair.val.raw, strict=True))
    gap, better = gaps[num // 2], sum(value > 0 for value in gaps) / num
    least = NOISES * math.hypot(pair.val.sigma, pair.train.sigma)
    if better >= PERSISTENT and gap > least:
        return issue(
            "H010",
            since_step=pair.steps[0],
            evidence={"gap": gap, "share_better": better},
            severity=Severity.INFO,
            suggestion="check that no row, group or later time of validation is in train; dropout does this too",
        )
    first, now = pair.val.first, pair.val.now[0]
    if 0 <= now < PERFECT * first:
        return issue(
            "H010",
            since_step=began(list(zip(pair.steps, pair.val.raw, strict=True)), lambda value: value < PERFECT * first),
            evidence={"value": now, "first": first},
            severity=Severity.INFO,
            suggestion="too good to be true: look for a column that gives the answer away",
        )
    return passed("H010", {"gap": gap})
