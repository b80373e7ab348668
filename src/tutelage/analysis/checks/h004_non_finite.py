"""H004 non-finite: a NaN or infinity in any metric of the scope, at once and for good."""

from __future__ import annotations

from tutelage.core.findings import Outcome, Severity
from tutelage.core.wire import Finding


class NonFinite:
    """Keeps the earliest non-finite value of all metrics; the first by step, then by name."""

    code = "H004"

    def __init__(self) -> None:
        self._first: tuple[int, str, float] | None = None

    def observe(self, metric: str, step: int, value: float) -> None:
        """Take a value in that is not finite."""
        if self._first is None or (step, metric) < self._first[:2]:
            self._first = (step, metric, value)

    def finding(self, *, num_metrics: int) -> Finding:
        """Return what stands now."""
        if not num_metrics:
            return Finding(code=self.code, outcome=Outcome.NOT_APPLICABLE)
        if self._first is None:
            return Finding(code=self.code, outcome=Outcome.PASSED)
        step, metric, value = self._first
        return Finding(
            code=self.code,
            outcome=Outcome.ISSUE,
            severity=Severity.CRITICAL,
            since_step=step,
            evidence={metric: value},
            suggestion="stop, then branch from the last healthy checkpoint with a lower learning rate",
        )
