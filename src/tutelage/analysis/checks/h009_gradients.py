"""H009 gradients: vanishing, exploding, or updates out of proportion to the weights."""

from __future__ import annotations

from tutelage.analysis.checks.signals import began, halves, issue, not_applicable, passed, skipped
from tutelage.analysis.series import Curve
from tutelage.core.wire import Finding

VANISHED = 0.01
"""A norm below this is vanishing where it was ten times greater before."""
FADED = 0.1
EXPLODED = 10.0
"""Times the median of the earlier norms."""
UPDATE_RATIO = (1e-4, 1e-2)
"""A healthy update moves weights by this share of their size."""


def gradients(norm: Curve, update_ratio: Curve) -> Finding:
    """Judge the declared gradient norm and the declared ratio of update to weight."""
    if not norm and not update_ratio:
        return not_applicable("H009")
    parts = halves(norm)
    ratio = halves(update_ratio)
    if parts is None and ratio is None:
        return skipped("H009", norm or update_ratio)
    if parts is not None:
        before, now = parts
        evidence = {"norm": now, "before": before}
        if now > EXPLODED * before:
            return issue(
                "H009",
                since_step=began(norm, lambda value: value > EXPLODED * before),
                evidence=evidence,
                suggestion="gradients explode: clip them, or lower the learning rate",
            )
        if now < VANISHED and now < FADED * before:
            return issue(
                "H009",
                since_step=began(norm, lambda value: value < min(VANISHED, FADED * before)),
                evidence=evidence,
                suggestion="gradients vanish: look at saturated units, normalisation and the learning rate",
            )
    if ratio is not None and not UPDATE_RATIO[0] <= ratio[1] <= UPDATE_RATIO[1]:
        is_low = ratio[1] < UPDATE_RATIO[0]
        return issue(
            "H009",
            since_step=began(update_ratio, lambda value: not UPDATE_RATIO[0] <= value <= UPDATE_RATIO[1]),
            evidence={"update_ratio": ratio[1]},
            suggestion=f"updates are {'small' if is_low else 'large'} for their weights: "
            f"{'raise' if is_low else 'lower'} the learning rate",
        )
    return passed("H009", {"norm": parts[1]} if parts else {})
