"""H001 overfitting: validation is worse than its best by more than its error, stays so, and train is not worse."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tutelage.analysis.latch import Latch
from tutelage.analysis.pair import Pair
from tutelage.analysis.rules import MIN_EVALUATIONS, Rules
from tutelage.core.findings import Outcome, Severity
from tutelage.core.wire import Finding

OUTLIER = 1.2
"""Noises by which the newest mean of three may lie low without ending a rise."""
RECENT = 0.58
"""1 / sqrt(3): the error of the newest mean of three, in noises of one value."""


@dataclass(frozen=True, slots=True)
class Rise:
    """How far validation is above its best on the shortest scale that tells; `ratio`: to its threshold, at most."""

    length: int
    amount: float
    threshold: float
    error: float
    train: float | None
    best_step: int
    ratio: float


class Overfitting:
    """Raised after 2 such evaluations in a row (5 without a twin), taken back after 3 below half the threshold."""

    code = "H001"

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.latch = Latch(hold=rules.hold_rise, clear=rules.clear)
        self.rise: Rise | None = None

    def observe(self, pair: Pair, *, is_diverging: bool) -> None:
        """Take the newest evaluation in."""
        found, is_warm = self._look(pair) if pair.is_learned else (None, False)
        if found is not None:
            self.rise = found
        rules, spent = self._rules, pair.share_spent()
        self.latch.feed(
            hot=found is not None and not is_diverging and (spent is None or spent >= rules.min_share),
            warm=is_warm,
            since_step=found.best_step if found else pair.steps[-1],
            hold=rules.hold_rise if pair.has_train else rules.hold_rise_alone,
        )

    def _look(self, pair: Pair) -> tuple[Rise | None, bool]:
        """Return the rise on the shortest scale that tells, and whether any scale exceeds half its threshold."""
        val, num, told, is_warm = pair.val, len(pair), None, False
        for k, now in enumerate(val.now):
            length = self._rules.scales[k]
            if num < length + 3:
                break
            rise, newest = now - val.best[k], val.now[0] - val.best[k]
            threshold = self._threshold(pair, k)
            is_recent = newest + RECENT * val.sigma > 0.5 * threshold
            if threshold <= 0 or rise <= 0.5 * threshold or not is_recent or not self._train_holds(pair, k):
                continue
            is_warm = True
            if rise <= threshold or not self._stays(pair, k, rise, newest):
                continue
            if told is None:
                told = self._rise(pair, k, rise, threshold)
            elif rise / threshold > told.ratio:
                told = replace(told, ratio=rise / threshold)
        return told, is_warm

    def _threshold(self, pair: Pair, k: int) -> float:
        rules, val, length = self._rules, pair.val, self._rules.scales[k]
        share = rules.share_rise if pair.has_train else rules.share_rise_alone
        return max((rules.z_rise + val.selection(length)) * 2**0.5 * val.error(length), share * val.span(k))

    def _train_holds(self, pair: Pair, k: int) -> bool:
        """Tell whether train is no worse than it was at validation's best, beyond its error and a share of its span."""
        if not pair.has_train:
            return True
        train, length = pair.train, self._rules.scales[k]
        worse = train.now[k] - train.mean(length, pair.val.at[k])
        error = self._rules.z_train * 2**0.5 * train.error(length)
        return worse <= max(error, self._rules.share_train * max(train.first - train.best[k], 0.0))

    def _stays(self, pair: Pair, k: int, rise: float, newest: float) -> bool:
        """Tell whether the rise holds three quarters of its peak, on this scale and on the shortest."""
        val, staying = pair.val, self._rules.staying
        slack = OUTLIER * val.sigma
        return rise >= staying * (val.peak[k] - val.best[k]) and newest + slack >= staying * (val.peak[0] - val.best[k])

    def _rise(self, pair: Pair, k: int, amount: float, threshold: float) -> Rise:
        val, length = pair.val, self._rules.scales[k]
        return Rise(
            length=length,
            amount=amount,
            threshold=threshold,
            error=2**0.5 * val.error(length),
            train=pair.train.now[k] - pair.train.mean(length, val.at[k]) if pair.has_train else None,
            best_step=pair.steps[val.at[k] - 1 - length // 2],
            ratio=amount / threshold,
        )

    def finding(self, pair: Pair) -> Finding:
        """Return what stands now."""
        if len(pair) < MIN_EVALUATIONS:
            return Finding(code=self.code, outcome=Outcome.SKIPPED, evidence={"evaluations": float(len(pair))})
        rise = self.rise
        if not self.latch.is_on or rise is None:
            return Finding(code=self.code, outcome=Outcome.PASSED)
        evidence = {"rise": rise.amount, "threshold": rise.threshold, "error": rise.error, "over": float(rise.length)}
        if rise.train is not None:
            evidence["train_change"] = rise.train
        return Finding(
            code=self.code,
            outcome=Outcome.ISSUE,
            severity=Severity.WARNING,
            since_step=self.latch.since_step,
            evidence=evidence,
            suggestion="keep the best checkpoint; then less capacity, more regularisation, more data or fewer steps",
        )
