"""From curves and declarations to one assessment: findings, verdict, a sentence, its evidence, advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from tutelage.analysis import checks
from tutelage.analysis.series import Curve
from tutelage.core.findings import Advice, Outcome, Verdict
from tutelage.core.wire import Assessment, Evidence, Finding, Recommendation

CHECKS_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What the judge may know about a metric: never guessed from its name."""

    direction: Literal["minimize", "maximize"] | None = None
    unit: str = ""
    pairs: str | None = None
    baseline: float | None = None
    baseline_name: str = ""

    @property
    def maximize(self) -> bool:
        """Greater is better."""
        return self.direction == "maximize"


@dataclass(frozen=True, kw_only=True)
class View:
    """One scope of a run as the judge sees it.

    `curves` are those of the judged scope; `best` and `best_step` are the objective's over the whole operation,
    `fraction` the share of the budget that is spent, `ended` whether the operation is over.
    """

    scope: str
    unit: str
    curves: Mapping[str, Curve]
    declared: Mapping[str, Declared]
    objective: str | None = None
    best: float | None = None
    best_step: int | None = None
    best_unit: str = ""
    fraction: float | None = None
    ended: bool = False
    spread: float | None = None


def assess(view: View) -> Assessment:
    """Judge one view of a run."""
    judged = judged_metric(view)
    findings = [checks.non_finite(view.curves), _baseline(view)]
    if judged is not None:
        findings.append(checks.still_improving(view.curves[judged], maximize=view.declared[judged].maximize))
    verdict = _verdict(view, {finding.code: finding for finding in findings})
    return _worded(view, judged, verdict, findings)


def judged_metric(view: View) -> str | None:
    """Return the curve that counts in this scope: the objective, else a validation metric, else any directed one."""
    rated = [name for name in view.curves if view.declared.get(name, Declared()).direction]
    if view.objective in rated:
        return view.objective
    paired = [name for name in rated if view.declared[name].pairs]
    return next(iter(paired or rated), None)


def spoken(value: float) -> str:
    """Write a number as people read it: four significant digits."""
    return f"{value:.4g}"


def _baseline(view: View) -> Finding:
    declared = view.declared.get(view.objective or "", Declared())
    return checks.not_learning(
        best_value=view.best,
        baseline=declared.baseline,
        maximize=declared.maximize,
        spread=view.spread,
        fraction=1.0 if view.ended else view.fraction,
    )


def _verdict(view: View, found: Mapping[str, Finding]) -> Verdict:
    if found["H004"].outcome is Outcome.ISSUE:
        return Verdict.NON_FINITE
    if found["H007"].outcome is Outcome.ISSUE:
        return Verdict.NOT_LEARNING
    if view.ended:
        return Verdict.FINISHED
    if "H012" in found and found["H012"].outcome is Outcome.ISSUE:
        return Verdict.IMPROVING
    return Verdict.INSUFFICIENT_EVIDENCE


def _worded(view: View, judged: str | None, verdict: Verdict, findings: list[Finding]) -> Assessment:
    by_code = {finding.code: finding for finding in findings}
    if verdict is Verdict.NON_FINITE:
        return _non_finite(view, by_code["H004"], findings)
    if verdict is Verdict.NOT_LEARNING:
        return _not_learning(view, by_code["H007"], findings)
    if verdict is Verdict.IMPROVING and judged is not None:
        return _improving(view, judged, by_code["H012"], findings)
    if verdict is Verdict.FINISHED:
        return _finished(view, findings)
    return _insufficient(view, judged, findings)


def _non_finite(view: View, finding: Finding, findings: list[Finding]) -> Assessment:
    name, value = next(iter(finding.evidence.items()))
    return Assessment(
        verdict=Verdict.NON_FINITE,
        sentence=f"{name} became {value} at {view.unit} {finding.since_step}.",
        detail="The values after it mean nothing.",
        scope=view.scope,
        since_step=finding.since_step,
        confidence=1.0,
        evidence=[Evidence(label=f"first non-finite {name}", value=value, at_step=finding.since_step)],
        recommendation=Recommendation(do=Advice.STOP),
        findings=findings,
        checks_version=CHECKS_VERSION,
    )


def _not_learning(view: View, finding: Finding, findings: list[Finding]) -> Assessment:
    declared = view.declared[view.objective or ""]
    numbers = finding.evidence
    return Assessment(
        verdict=Verdict.NOT_LEARNING,
        sentence=f"{view.objective} {spoken(numbers['best'])} does not beat the trivial "
        f"{spoken(numbers['baseline'])}{_named(declared)}.",
        detail=finding.suggestion,
        scope=view.scope,
        since_step=view.best_step,
        confidence=_certainty(-numbers["gain"], numbers.get("error")),
        evidence=_against_baseline(view),
        recommendation=Recommendation(do=Advice.STOP),
        findings=findings,
        checks_version=CHECKS_VERSION,
    )


def _improving(view: View, judged: str, finding: Finding, findings: list[Finding]) -> Assessment:
    declared = view.declared[judged]
    numbers = finding.evidence
    moves = "rises" if declared.maximize else "falls"
    times = abs(numbers["gain"]) / numbers["noise"] if numbers["noise"] > 0 else None
    return Assessment(
        verdict=Verdict.IMPROVING,
        sentence=f"{judged} still {moves} by {spoken(abs(numbers['slope']))} a {view.unit}.",
        detail=f"{times:.0f}x its noise over that stretch." if times and times < 1e6 else "",
        scope=view.scope,
        since_step=finding.since_step,
        confidence=_certainty(numbers["gain"], numbers["error"]),
        evidence=[
            Evidence(label=f"{'rise' if declared.maximize else 'fall'} per {view.unit}", value=abs(numbers["slope"])),
            Evidence(label="noise of a value", value=numbers["noise"], unit=declared.unit),
            *_against_baseline(view),
        ],
        recommendation=Recommendation(do=Advice.CONTINUE),
        findings=findings,
        checks_version=CHECKS_VERSION,
    )


def _finished(view: View, findings: list[Finding]) -> Assessment:
    if view.best is None or view.objective is None:
        sentence = "It ended; no metric that counts was reported."
    else:
        declared = view.declared.get(view.objective, Declared())
        sentence = f"Best {view.objective} {spoken(view.best)} at {view.best_unit} {view.best_step}"
        if declared.baseline is not None:
            sentence += f"; the trivial baseline{_named(declared)} has {spoken(declared.baseline)}"
        sentence += "."
    return Assessment(
        verdict=Verdict.FINISHED,
        sentence=sentence,
        scope=view.scope,
        confidence=1.0,
        evidence=_against_baseline(view),
        recommendation=Recommendation(do=Advice.CONTINUE),
        findings=findings,
        checks_version=CHECKS_VERSION,
    )


def _insufficient(view: View, judged: str | None, findings: list[Finding]) -> Assessment:
    num = len(view.curves[judged]) if judged else 0
    few = num < checks.MIN_EVALUATIONS
    what = f"{num} evaluation{'' if num == 1 else 's'} so far" if few else f"{judged} shows no clear trend"
    where = f" in {view.scope}" if view.scope else ""
    return Assessment(
        verdict=Verdict.INSUFFICIENT_EVIDENCE,
        sentence=f"{what}{where}.",
        detail=f"A verdict needs {checks.MIN_EVALUATIONS}." if few else "",
        scope=view.scope,
        evidence=_against_baseline(view),
        recommendation=Recommendation(do=Advice.INSUFFICIENT_EVIDENCE),
        findings=findings,
        checks_version=CHECKS_VERSION,
    )


def _against_baseline(view: View) -> list[Evidence]:
    if view.best is None or view.objective is None:
        return []
    declared = view.declared.get(view.objective, Declared())
    shown = [Evidence(label=f"best {view.objective}", value=view.best, unit=declared.unit, at_step=view.best_step)]
    if declared.baseline is not None:
        shown.append(Evidence(label=f"trivial baseline{_named(declared)}", value=declared.baseline, unit=declared.unit))
    return shown


def _certainty(gain: float, error: float | None) -> float | None:
    """Return the chance that a gain of this size is above zero, for a normal error; None where none was measured."""
    if error is None:
        return None
    if error == 0:
        return 1.0 if gain > 0 else 0.5
    return NormalDist().cdf(gain / error)


def _named(declared: Declared) -> str:
    return f" ({declared.baseline_name})" if declared.baseline_name else ""
