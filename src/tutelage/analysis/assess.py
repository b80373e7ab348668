"""From a judge to one assessment: findings, verdict, sentence, evidence, advice."""

from __future__ import annotations

from collections.abc import Mapping

from tutelage.analysis import wording
from tutelage.analysis.judge import Judge, Scope, Standing
from tutelage.analysis.rules import Rules
from tutelage.analysis.series import Curve, in_order
from tutelage.core.findings import Outcome, Verdict
from tutelage.core.wire import Assessment, Finding

ALARMS = (
    ("H004", Verdict.NON_FINITE),
    ("H003", Verdict.DIVERGED),
    ("H005", Verdict.STALLED),
    ("H001", Verdict.OVERFITTING),
    ("H007", Verdict.NOT_LEARNING),
)
TRENDS = (("H002", Verdict.PLATEAUED), ("H012", Verdict.IMPROVING))
"""Check -> the verdict it gives, in order of precedence; on an ended operation `finished` takes the place of trends."""


def assess(scope: Scope, curves: Mapping[str, Curve], standing: Standing | None = None) -> Assessment:
    """Judge the curves of one scope as they stand, points in any order, each step once."""
    judge = Judge(scope, Rules())
    taken = judge.extend({name: in_order(points) for name, points in curves.items()})
    assert taken, "a fresh judge takes every point"
    return assessment(judge, standing or Standing())


def assessment(judge: Judge, standing: Standing) -> Assessment:
    """Return what a judge says now."""
    findings = judge.findings(standing)
    verdict = verdict_of(findings, ended=standing.ended)
    return wording.worded(wording.Case(judge=judge, standing=standing, verdict=verdict, findings=tuple(findings)))


def verdict_of(findings: list[Finding], *, ended: bool) -> Verdict:
    """Return the first verdict in the order of precedence whose check found an issue."""
    raised = {finding.code for finding in findings if finding.outcome is Outcome.ISSUE}
    for code, verdict in ALARMS:
        if code in raised:
            return verdict
    if ended:
        return Verdict.FINISHED
    return next((verdict for code, verdict in TRENDS if code in raised), Verdict.INSUFFICIENT_EVIDENCE)
