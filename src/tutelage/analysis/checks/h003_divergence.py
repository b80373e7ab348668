"""H003 divergence: the loss leaves its best level far behind and goes on rising, on train and validation alike."""

from __future__ import annotations

from dataclasses import dataclass

from tutelage.analysis.checks.h001_overfitting import OUTLIER, RECENT
from tutelage.analysis.latch import Latch
from tutelage.analysis.pair import Pair
from tutelage.analysis.rules import MIN_EVALUATIONS, Rules
from tutelage.core.findings import Outcome, Severity
from tutelage.core.wire import Finding

JUMP_SCALE = 6
"""On scales up to this many evaluations, a rise within one length of the scale is a jump."""


@dataclass(frozen=True, slots=True)
class Blowup:
    """How far the loss is above its best: that of train, or of the curve alone where it has no twin."""

    amount: float
    threshold: float
    error: float
    best_step: int
    is_of_train: bool


class Divergence:
    """Raised after 4 such evaluations in a row, taken back after 3 below half the threshold.

    With a twin, train must be worse by 4 errors and 15 % of its span, and validation by its error too. Alone, the rise
    must exceed 2.5 spans and be a jump or accelerate: an overfitting curve's rise saturates.
    """

    code = "H003"

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.latch = Latch(hold=rules.hold_diverge, clear=rules.clear)
        self.blowup: Blowup | None = None
        self.is_hot = False

    def observe(self, pair: Pair) -> None:
        """Take the newest evaluation in."""
        look = self._of_train if pair.has_train else self._alone
        self.is_hot = is_warm = False
        for k in range(len(pair.val.now)):
            if len(pair) < self._rules.scales[k] + 3:
                break
            found, warm, stays = look(pair, k)
            is_warm = is_warm or warm
            if found is not None and stays:
                self.is_hot, self.blowup = True, found
        since_step = self.blowup.best_step if self.blowup else pair.steps[-1]
        self.latch.feed(hot=self.is_hot, warm=is_warm, since_step=since_step)

    def _of_train(self, pair: Pair, k: int) -> tuple[Blowup | None, bool, bool]:
        """Return the blow-up if there is one, whether there is half of one, and whether it stays."""
        rules, val, train, length = self._rules, pair.val, pair.train, self._rules.scales[k]
        luck, error = train.selection(length), 2**0.5 * train.error(length)
        best = train.best[k]
        threshold = max((rules.z_diverge + luck) * error, rules.share_diverge * max(train.first - best, 0.0))
        rise, newest = train.now[k] - best, train.now[0] - best
        is_val_worse = val.now[k] - val.best[k] > (rules.z_rise + val.selection(length)) * 2**0.5 * val.error(length)
        is_recent = newest + RECENT * train.sigma > 0.5 * threshold
        if threshold <= 0 or not is_val_worse or not is_recent or rise <= 0.5 * threshold:
            return None, False, False
        kept = rules.staying_diverge
        stays = rise >= kept * (train.peak[k] - best)
        stays = stays and newest + OUTLIER * train.sigma >= kept * (train.peak[0] - best)
        found = Blowup(rise, threshold, error, pair.steps[train.at[k] - 1], True) if rise > threshold else None
        return found, True, stays

    def _alone(self, pair: Pair, k: int) -> tuple[Blowup | None, bool, bool]:
        rules, val, length = self._rules, pair.val, self._rules.scales[k]
        error, best = 2**0.5 * val.error(length), val.best[k]
        span = max(val.first - best, 0.0)
        threshold = max((rules.z_diverge + val.selection(length)) * error, rules.spans_diverge_alone * span)
        rise, newest = val.now[k] - best, val.now[0] - best
        is_recent = newest + RECENT * val.sigma > 0.5 * threshold
        if threshold <= 0 or rise <= 0.5 * threshold or not is_recent:
            return None, False, False
        kept = rules.staying_diverge
        stays = rise >= kept * (val.peak[k] - best)
        stays = stays and newest + OUTLIER * val.sigma >= kept * (val.peak[0] - best)
        is_found = rise > threshold and self._is_sharp(pair, k, rise)
        found = Blowup(rise, threshold, error, pair.steps[val.at[k] - 1], False) if is_found else None
        return found, True, stays

    def _is_sharp(self, pair: Pair, k: int, rise: float) -> bool:
        """Tell whether the rise is a jump, or still accelerates: at half of its way it had a quarter of its height."""
        if self.latch.is_on:
            return True
        val, length, num = pair.val, self._rules.scales[k], len(pair)
        if length <= JUMP_SCALE and num - val.at[k] <= length + 2:
            return True
        half_way = (val.at[k] + num + 1) // 2
        return val.mean(length, half_way) - val.best[k] < self._rules.convex * rise

    def finding(self, pair: Pair) -> Finding:
        """Return what stands now."""
        if len(pair) < MIN_EVALUATIONS:
            return Finding(code=self.code, outcome=Outcome.SKIPPED, evidence={"evaluations": float(len(pair))})
        found = self.blowup
        if not self.latch.is_on or found is None:
            return Finding(code=self.code, outcome=Outcome.PASSED)
        return Finding(
            code=self.code,
            outcome=Outcome.ISSUE,
            severity=Severity.CRITICAL,
            since_step=self.latch.since_step,
            evidence={"rise": found.amount, "threshold": found.threshold, "error": found.error},
            suggestion="stop, then branch from the best checkpoint with a lower learning rate",
        )
