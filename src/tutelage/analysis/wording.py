"""One sentence, a detail, the evidence and an advice for each verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

from tutelage.analysis.confidence import confidence
from tutelage.analysis.declared import Declared
from tutelage.analysis.judge import Judge, Standing
from tutelage.analysis.rules import CHECKS_VERSION, MIN_EVALUATIONS
from tutelage.analysis.series import best, oriented
from tutelage.core.findings import Advice, Outcome, Verdict
from tutelage.core.wire import Assessment, Evidence, Finding, Recommendation

CLEAR = 1000.0
"""A gain that is so many noises is not worth counting them."""


def spoken(value: float) -> str:
    """Write a number as people read it: four significant digits."""
    return f"{value:.4g}"


@dataclass(frozen=True, kw_only=True)
class Case:
    """All that is known when the words are chosen."""

    judge: Judge
    standing: Standing
    verdict: Verdict
    findings: tuple[Finding, ...]

    def finding(self, code: str) -> Finding:
        """Return one check's finding."""
        return next(item for item in self.findings if item.code == code)

    def is_raised(self, code: str) -> bool:
        """Tell whether a check found an issue."""
        return any(item.code == code and item.outcome is Outcome.ISSUE for item in self.findings)

    @property
    def metric(self) -> str:
        """The judged metric's name."""
        return self.judge.judged or ""

    @property
    def declared(self) -> Declared:
        """What is declared of the judged metric."""
        return self.judge.scope.declared.get(self.metric, Declared())

    @property
    def unit(self) -> str:
        """The step's name in this scope."""
        return self.judge.scope.unit

    @property
    def saves_s(self) -> float:
        """The wall time that a stop would save, where it is known."""
        return round(self.standing.remaining_s or 0.0, 1)


@dataclass(frozen=True, kw_only=True)
class Words:
    """What is said of a case."""

    sentence: str
    advice: Recommendation
    detail: str = ""
    since_step: int | None = None
    confidence: float | None = None
    evidence: tuple[Evidence, ...] = ()


def worded(case: Case) -> Assessment:
    """Return the assessment of a case."""
    words = WORDS[case.verdict](case)
    stops = words.advice.do in (Advice.STOP, Advice.USE_CHECKPOINT)
    saves_s = case.saves_s if stops and not case.standing.ended else 0
    return Assessment(
        verdict=case.verdict,
        sentence=words.sentence,
        detail=words.detail,
        scope=case.judge.scope.name,
        since_step=words.since_step,
        confidence=words.confidence,
        evidence=list(words.evidence),
        recommendation=words.advice.model_copy(update={"saves_s": saves_s}),
        findings=list(case.findings),
        checks_version=CHECKS_VERSION,
    )


def _non_finite(case: Case) -> Words:
    finding = case.finding("H004")
    name, value = next(iter(finding.evidence.items()))
    return Words(
        sentence=f"{name} became {value} at {case.unit} {finding.since_step}.",
        detail="The values after it mean nothing.",
        since_step=finding.since_step,
        confidence=1.0,
        evidence=(Evidence(label=f"first non-finite {name}", value=value, at_step=finding.since_step),),
        advice=Recommendation(do=Advice.STOP),
    )


def _diverged(case: Case) -> Words:
    finding, fold = case.finding("H003"), case.judge.fold
    assert fold is not None, "a judged curve diverged"
    assert fold.divergence.blowup is not None, "a divergence that stands has its numbers"
    name = case.judge.twin if fold.divergence.blowup.is_of_train else case.metric
    numbers = finding.evidence
    others = " and validation rises with it" if fold.divergence.blowup.is_of_train else ""
    return Words(
        sentence=f"{name} is {spoken(numbers['rise'])} worse than its best since {case.unit} "
        f"{finding.since_step}{others}.",
        detail=f"{finding.suggestion[0].upper()}{finding.suggestion[1:]}.",
        since_step=finding.since_step,
        confidence=confidence(fold, Verdict.DIVERGED),
        evidence=(
            Evidence(label=f"{name} above its best", value=numbers["rise"], unit=case.declared.unit),
            Evidence(label="threshold", value=numbers["threshold"], unit=case.declared.unit),
            *_best(case),
        ),
        advice=_leave(case),
    )


def _stalled(case: Case) -> Words:
    finding = case.finding("H005")
    numbers = finding.evidence
    usual = f", where a {case.unit} takes {numbers['interval_s']:.2g} s" if "interval_s" in numbers else ""
    return Words(
        sentence=f"No {case.unit} for {numbers['silent_s']:.0f} s{usual}.",
        detail=f"{finding.suggestion[0].upper()}{finding.suggestion[1:]}.",
        since_step=finding.since_step,
        evidence=tuple(
            Evidence(label=label.removesuffix("_s"), value=value, unit="s") for label, value in numbers.items()
        ),
        advice=Recommendation(do=Advice.STOP),
    )


def _overfitting(case: Case) -> Words:
    finding, fold = case.finding("H001"), case.judge.fold
    assert fold is not None, "a judged curve overfits"
    numbers = finding.evidence
    times = numbers["rise"] / numbers["error"] if numbers["error"] > 0 else None
    twin = f" while {case.judge.twin} does not get worse" if "train_change" in numbers else ""
    shown = [
        Evidence(label=f"{case.metric} worse than its best", value=numbers["rise"], unit=case.declared.unit),
        Evidence(label="error of that", value=numbers["error"], unit=case.declared.unit),
    ]
    if "train_change" in numbers:
        sign = -1.0 if fold.pair.facts.is_twin_maximized else 1.0
        shown.append(Evidence(label=f"change of {case.judge.twin} since", value=sign * numbers["train_change"]))
    alone = "" if twin else " No training curve: this may be a divergence as well."
    return Words(
        sentence=f"{case.metric} is {spoken(numbers['rise'])} worse than its best since {case.unit} "
        f"{finding.since_step}{twin}.",
        detail=(f"{times:.1f}x its error." if times and times < CLEAR else "Far beyond its noise.") + alone,
        since_step=finding.since_step,
        confidence=confidence(fold, Verdict.OVERFITTING),
        evidence=(*shown, *_best(case)),
        advice=_leave(case),
    )


def _not_learning(case: Case) -> Words:
    finding, standing = case.finding("H007"), case.standing
    numbers = finding.evidence
    name = case.metric or case.judge.scope.objective or ""
    if "baseline" in numbers:
        objective = case.judge.scope.declared.get(case.judge.scope.objective or name, case.declared)
        named = f" ({objective.baseline_name})" if objective.baseline_name else ""
        name = case.judge.scope.objective or name
        sentence = f"{name} {spoken(numbers['best'])} does not beat the trivial {spoken(numbers['baseline'])}{named}."
    else:
        sentence = f"{name} {spoken(numbers['best'])} is no better than its beginning {spoken(numbers['beginning'])}."
    return Words(
        sentence=sentence,
        detail=f"{finding.suggestion[0].upper()}{finding.suggestion[1:]}.",
        since_step=standing.best_step if "baseline" in numbers else None,
        confidence=_certainty(-numbers["gain"], numbers.get("error")) if "baseline" in numbers else None,
        evidence=_best(case),
        advice=_rate(case) or Recommendation(do=Advice.STOP),
    )


def _plateaued(case: Case) -> Words:
    finding, fold = case.finding("H002"), case.judge.fold
    assert fold is not None, "a judged curve is flat"
    numbers = finding.evidence
    left = f"{spoken(max(numbers['gain_left'], 0.0))} ± {spoken(numbers['error'])}"
    return Words(
        sentence=f"{case.metric} has been flat since {case.unit} {finding.since_step}: "
        f"it promises {left} more, where {spoken(numbers['matters'])} would matter.",
        since_step=finding.since_step,
        confidence=confidence(fold, Verdict.PLATEAUED),
        evidence=(
            Evidence(label="gain still promised", value=numbers["gain_left"], unit=case.declared.unit),
            Evidence(label="error of that", value=numbers["error"], unit=case.declared.unit),
            *_best(case),
        ),
        advice=_rate(case) or Recommendation(do=Advice.STOP),
    )


def _improving(case: Case) -> Words:
    finding, fold, declared = case.finding("H012"), case.judge.fold, case.declared
    assert fold is not None, "a judged curve improves"
    numbers = finding.evidence
    moves = "rises" if declared.maximize else "falls"
    times = numbers["gain"] / numbers["error"] if numbers["error"] > 0 else None
    detail = f"{times:.0f}x its error. " if times and times < CLEAR else ""
    return Words(
        sentence=f"{case.metric} still {moves} by {spoken(abs(numbers['slope']))} a {case.unit}.",
        detail=f"{detail}Stopping now would lose about {spoken(numbers['gain'])}.",
        since_step=finding.since_step,
        confidence=confidence(fold, Verdict.IMPROVING),
        evidence=(
            Evidence(label=f"{'rise' if declared.maximize else 'fall'} per {case.unit}", value=abs(numbers["slope"])),
            Evidence(label="noise of a value", value=numbers["noise"], unit=declared.unit),
            Evidence(label="what a stop would lose", value=numbers["gain"], unit=declared.unit),
            *_best(case),
        ),
        advice=_rate(case) or Recommendation(do=Advice.CONTINUE),
    )


def _finished(case: Case) -> Words:
    standing, scope = case.standing, case.judge.scope
    if standing.best is None or scope.objective is None:
        return Words(
            sentence="It ended; no metric that counts was reported.",
            confidence=1.0,
            advice=Recommendation(do=Advice.CONTINUE),
        )
    declared = scope.declared.get(scope.objective, Declared())
    sentence = f"Best {scope.objective} {spoken(standing.best)} at {standing.best_unit} {standing.best_step}"
    if declared.baseline is not None:
        sentence += f"; the trivial baseline{_named(declared)} has {spoken(declared.baseline)}"
    return Words(
        sentence=f"{sentence}.", confidence=1.0, evidence=_best(case), advice=Recommendation(do=Advice.CONTINUE)
    )


def _insufficient(case: Case) -> Words:
    num = len(case.judge.newest[case.judge.judged]) if case.judge.judged else 0
    few = num < MIN_EVALUATIONS
    what = f"{num} evaluation{'' if num == 1 else 's'} so far" if few else f"{case.metric} shows no clear trend"
    where = f" in {case.judge.scope.name}" if case.judge.scope.name else ""
    return Words(
        sentence=f"{what}{where}.",
        detail=f"A verdict needs {MIN_EVALUATIONS}." if few else "",
        evidence=_best(case),
        advice=Recommendation(do=Advice.INSUFFICIENT_EVIDENCE),
    )


WORDS: dict[Verdict, Callable[[Case], Words]] = {
    Verdict.NON_FINITE: _non_finite,
    Verdict.DIVERGED: _diverged,
    Verdict.STALLED: _stalled,
    Verdict.OVERFITTING: _overfitting,
    Verdict.NOT_LEARNING: _not_learning,
    Verdict.PLATEAUED: _plateaued,
    Verdict.IMPROVING: _improving,
    Verdict.INSUFFICIENT_EVIDENCE: _insufficient,
    Verdict.FINISHED: _finished,
}


def _best(case: Case) -> tuple[Evidence, ...]:
    """Return the best value of the objective and its trivial baseline."""
    standing, scope = case.standing, case.judge.scope
    if standing.best is None or scope.objective is None:
        return ()
    declared = scope.declared.get(scope.objective, Declared())
    shown = [
        Evidence(label=f"best {scope.objective}", value=standing.best, unit=declared.unit, at_step=standing.best_step)
    ]
    if declared.baseline is not None:
        label = f"trivial baseline{_named(declared)}"
        shown.append(Evidence(label=label, value=declared.baseline, unit=declared.unit))
    return tuple(shown)


def _leave(case: Case) -> Recommendation:
    """Advise a live run to stop, and one that has ended to be used at the best step of its judged curve."""
    if not case.standing.ended or case.judge.judged is None:
        return Recommendation(do=Advice.STOP)
    top = best(oriented(list(case.judge.newest[case.judge.judged]), maximize=case.declared.maximize))
    assert top is not None, "a curve that has a verdict has a best step"
    return Recommendation(do=Advice.USE_CHECKPOINT, args={"step": top.step})


def _rate(case: Case) -> Recommendation | None:
    """Advise another learning rate where H008 asks for one."""
    if not case.is_raised("H008") or case.standing.ended:
        return None
    numbers = case.finding("H008").evidence
    name = next(key for key in numbers if key not in ("suggested", "fall"))
    return Recommendation(do=Advice.TUNE, args={name: float(f"{numbers['suggested']:.2g}")})


def _certainty(gain: float, error: float | None) -> float | None:
    """Return the chance that a gain of this size is above zero, for a normal error; None where none was measured."""
    if error is None:
        return None
    if error == 0:
        return 1.0 if gain > 0 else 0.5
    return NormalDist().cdf(gain / error)


def _named(declared: Declared) -> str:
    return f" ({declared.baseline_name})" if declared.baseline_name else ""
