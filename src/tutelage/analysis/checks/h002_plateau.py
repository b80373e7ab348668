"""H002 plateau: what the newest slope still promises until the end is less than what matters."""

from __future__ import annotations

from tutelage.analysis.latch import Latch
from tutelage.analysis.pair import Pair
from tutelage.analysis.rules import MIN_EVALUATIONS, Rules
from tutelage.core.findings import Outcome, Severity
from tutelage.core.wire import Finding


class Plateau:
    """Raised after 5 flat evaluations in a row, never before the last planned change of the learning rate.

    What matters is twice the noise or 2 % of the span, whichever is less: judged against what is left to gain, not by
    a ratio of means.
    """

    code = "H002"

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.latch = Latch(hold=rules.hold_plateau, clear=rules.clear)

    def observe(self, pair: Pair) -> None:
        """Take the newest evaluation in."""
        outlook, settled = pair.outlook, pair.facts.settled_after
        is_settled = settled is None or pair.steps[-1] >= settled
        if outlook is None:
            return
        is_warm = outlook.is_flat or outlook.is_undecided
        is_warm = is_warm or (
            outlook.is_falling and outlook.gain - self._rules.z_slope * outlook.error < 2 * outlook.matters
        )
        self.latch.feed(hot=outlook.is_flat and is_settled, warm=is_warm and is_settled, since_step=outlook.first_step)

    def finding(self, pair: Pair) -> Finding:
        """Return what stands now."""
        outlook = pair.outlook
        if len(pair) < MIN_EVALUATIONS or outlook is None:
            return Finding(code=self.code, outcome=Outcome.SKIPPED, evidence={"evaluations": float(len(pair))})
        evidence = {"gain_left": outlook.gain, "error": outlook.error, "matters": outlook.matters}
        if not self.latch.is_on:
            return Finding(code=self.code, outcome=Outcome.PASSED, evidence=evidence)
        return Finding(
            code=self.code,
            outcome=Outcome.ISSUE,
            severity=Severity.INFO,
            since_step=self.latch.since_step,
            evidence=evidence,
            suggestion="stop and keep the best, or lower the learning rate to see whether more is in it",
        )
