"""H008 learning rate: too high where the loss swings or falls at once after a decay, too low where it creeps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from tutelage.analysis.checks.signals import MIN_VALUES, finite, issue, not_applicable, passed, skipped
from tutelage.analysis.series import Curve, noise
from tutelage.core.wire import Finding

SWINGS = 3.0
"""The newest third is this many times noisier than the first."""
DECAY = 0.5
"""A learning rate that falls to this share or less has decayed."""
AROUND = 5
"""Evaluations before and after a decay that are compared."""
NOISES_OF_DROP = 5.0
SHARE_OF_DROP = 0.1
CREEP = 0.1
"""A loss that has fallen by less than this share of where it began, ..."""
STRAIGHT = 0.7
"""... and whose second half falls at this share of the first half's rate or more, creeps."""
LOWER, RAISE = 1 / 3, 3.0


def learning_rate(name: str, rate: Curve, loss: Curve) -> Finding:
    """Judge a declared learning rate by a finite, minimised loss: that of train, else of validation."""
    rates = finite(rate)
    if not rates or not loss:
        return not_applicable("H008")
    if len(loss) < MIN_VALUES:
        return skipped("H008", loss)
    newest = rates[-1][1]
    if (since_step := _swings(loss)) is not None:
        return _too_high(name, newest, since_step, "the loss swings ever more")
    if (since_step := _dropped_after_decay(rates, loss)) is not None:
        return _too_high(name, newest, since_step, "the loss fell at once when it decayed")
    if _creeps(loss):
        return issue(
            "H008",
            since_step=loss[0][0],
            evidence={name: newest, "suggested": newest * RAISE, "fall": loss[0][1] - loss[-1][1]},
            suggestion=f"raise {name}: the loss falls slowly and without bending",
        )
    return passed("H008", {name: newest})


def _too_high(name: str, rate: float, since_step: int, why: str) -> Finding:
    evidence = {name: rate, "suggested": rate * LOWER}
    return issue("H008", since_step=since_step, evidence=evidence, suggestion=f"lower {name}: {why}")


def _swings(loss: Curve) -> int | None:
    """Return the step since which the noise has grown threefold while the level has not improved."""
    third = len(loss) // 3
    early, middle, late = loss[:third], loss[third : 2 * third], loss[2 * third :]
    has_grown = noise(late) > SWINGS * noise(early) > 0
    is_better = fmean(value for _, value in late) < fmean(value for _, value in middle) - noise(middle)
    return late[0][0] if has_grown and not is_better else None


def _dropped_after_decay(rates: Sequence[tuple[int, float]], loss: Curve) -> int | None:
    """Return the newest decay after which the loss fell by five noises and 10 % of its span within five evaluations."""
    span = max(value for _, value in loss) - min(value for _, value in loss)
    least = max(NOISES_OF_DROP * noise(loss), SHARE_OF_DROP * span)
    for (_, before), (step, after) in reversed(list(pairwise(rates))):
        if after > DECAY * before:
            continue
        above = [value for at, value in loss if at < step][-AROUND:]
        below = [value for at, value in loss if at >= step][:AROUND]
        was_falling = above[0] - above[-1] if above else 0.0
        if len(above) == len(below) == AROUND and fmean(above) - fmean(below) > least + was_falling:
            return step
    return None


def _creeps(loss: Curve) -> bool:
    """Tell whether a positive loss falls for sure, by little, and in a straight line."""
    start, middle, now = (
        fmean(value for _, value in part)
        for part in (loss[:AROUND], loss[len(loss) // 2 - 2 : len(loss) // 2 + 3], loss[-AROUND:])
    )
    first, second = start - middle, middle - now
    error = noise(loss) * (2 / AROUND) ** 0.5
    return start > 0 and 4 * error < start - now < CREEP * start and first > 0 and second > STRAIGHT * first
