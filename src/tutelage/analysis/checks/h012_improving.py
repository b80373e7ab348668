"""H012 still improving, the anti-stop: the newest slope promises more than what matters, for sure."""

from __future__ import annotations

from tutelage.analysis.pair import Pair
from tutelage.analysis.rules import MIN_EVALUATIONS
from tutelage.core.findings import Outcome
from tutelage.core.wire import Finding


class Improving:
    """Information, not an alarm: `issue` means that a stop now would lose something."""

    code = "H012"

    def __init__(self) -> None:
        self.is_on = False

    def observe(self, pair: Pair, *, is_rising: bool) -> None:
        """Take the newest evaluation in."""
        self.is_on = pair.outlook is not None and pair.outlook.is_falling and not is_rising

    def finding(self, pair: Pair) -> Finding:
        """Return what stands now."""
        outlook = pair.outlook
        if len(pair) < MIN_EVALUATIONS or outlook is None:
            return Finding(code=self.code, outcome=Outcome.SKIPPED, evidence={"evaluations": float(len(pair))})
        evidence = {
            "slope": outlook.slope if pair.facts.is_maximized else -outlook.slope,
            "gain": outlook.gain,
            "error": outlook.error,
            "noise": pair.val.sigma,
            "matters": outlook.matters,
        }
        if not self.is_on:
            return Finding(code=self.code, outcome=Outcome.PASSED, evidence=evidence)
        return Finding(
            code=self.code,
            outcome=Outcome.ISSUE,
            since_step=outlook.first_step,
            evidence=evidence,
            suggestion="let it run",
        )
