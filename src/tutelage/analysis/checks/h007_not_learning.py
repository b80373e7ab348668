"""H007 not learning: after a fifth of the budget nothing is better than the trivial baseline, or than the beginning."""

from __future__ import annotations

from tutelage.analysis.latch import Latch
from tutelage.analysis.pair import Pair
from tutelage.analysis.rules import MIN_EVALUATIONS, Rules
from tutelage.core.findings import Outcome, Severity
from tutelage.core.wire import Finding

NOT_EVEN_WARM = 1.5
"""Times the errors by which a curve must gain before the finding is taken back."""


class NotLearning:
    """Raised after 2 evaluations in a row at which no mean of validation or train has gained beyond its error."""

    code = "H007"

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.latch = Latch(hold=rules.hold_baseline, clear=rules.clear)

    def observe(self, pair: Pair) -> None:
        """Take the newest evaluation in."""
        z = self._rules.z_baseline
        if not self._is_late(pair):
            return
        if not self.latch.is_on and pair.is_learned and pair.has_learned(z, z + 1):
            self.latch.feed(hot=False, warm=False, since_step=pair.steps[0])
            return
        is_hot = not pair.has_learned(z, z + 1)
        is_warm = is_hot or not pair.has_learned(NOT_EVEN_WARM * z)
        self.latch.feed(hot=is_hot, warm=is_warm, since_step=pair.steps[0])

    def _is_late(self, pair: Pair) -> bool:
        spent = pair.share_spent()
        if spent is None:
            return len(pair) >= self._rules.late_evaluations
        return spent >= self._rules.late_share

    def finding(self, pair: Pair) -> Finding:
        """Return what stands now."""
        if len(pair) < MIN_EVALUATIONS:
            return Finding(code=self.code, outcome=Outcome.SKIPPED, evidence={"evaluations": float(len(pair))})
        sign = -1.0 if pair.facts.is_maximized else 1.0
        best = min(pair.val.best[: len(pair.val.now)])
        reference = pair.val.start() if pair.baseline is None else pair.baseline
        name = "beginning" if pair.baseline is None else "baseline"
        evidence = {"best": sign * best, name: sign * reference, "gain": reference - best, "error": pair.val.error(3)}
        if self.latch.is_on:
            return issue(evidence)
        is_early = not self._is_late(pair) and not pair.is_learned
        return Finding(code=self.code, outcome=Outcome.SKIPPED if is_early else Outcome.PASSED, evidence=evidence)


def beats_baseline(
    *, best_value: float | None, baseline: float | None, maximize: bool, spread: float | None, fraction: float | None
) -> Finding:
    """H007 for a value that is no curve: the best of the whole operation against the trivial baseline."""
    if best_value is None or baseline is None:
        return Finding(code="H007", outcome=Outcome.NOT_APPLICABLE)
    gain = (best_value - baseline) if maximize else (baseline - best_value)
    evidence = {"best": best_value, "baseline": baseline, "gain": gain}
    if spread is not None:
        evidence["error"] = spread
    if gain > (spread or 0.0):
        return Finding(code="H007", outcome=Outcome.PASSED, evidence=evidence)
    if fraction is None or fraction < Rules().late_share:
        return Finding(code="H007", outcome=Outcome.SKIPPED, evidence=evidence)
    return issue(evidence)


def issue(evidence: dict[str, float]) -> Finding:
    """Return the finding that stands."""
    return Finding(
        code="H007",
        outcome=Outcome.ISSUE,
        severity=Severity.WARNING,
        evidence=evidence,
        suggestion="look at the features and the target, then at the learning rate: the model does no better "
        "than a constant",
    )
