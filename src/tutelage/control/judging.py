"""Judging on write: feeds the judge from the store, keeps the assessment, tells of changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tutelage.analysis import Declared, Role, Scope, Standing, assessment
from tutelage.analysis.series import best, evaluations_since, noise, oriented
from tutelage.control import policies
from tutelage.control.judges import Judges
from tutelage.control.pace import remaining_s
from tutelage.core.clock import iso
from tutelage.core.events import Draft, EventKind
from tutelage.core.findings import Outcome, Verdict
from tutelage.core.operation import ENDED, State
from tutelage.core.service import Service, scope_kind
from tutelage.core.wire import Assessment
from tutelage.store import OperationRecord, Transaction, curves
from tutelage.store.store import Reading

PRECEDENCE = list(Verdict)
MAX_POINTS = 512
"""Points of the objective among which the best step and those like it are looked for."""


def judge(tx: Transaction, record: OperationRecord, service: Service, *, at_s: float, judges: Judges) -> bool:
    """Judge an operation as it stands; store what changed; tell whether anything did."""
    found = judgement(tx, record, service, at_s=at_s, judges=judges)
    before = record.judgement or {}
    old, new = before.get("assessment"), found["assessment"]
    if new and old and old["verdict"] == new["verdict"]:
        new["since_at"] = old["since_at"]
    elif new:
        new["since_at"] = iso(at_s)
    found["policy"] = policies.advance(record, new, found["evaluations"], before.get("policy", {}))
    if found == before:
        return False
    tx.change_operation(record.id, judgement=found)
    drafts = _news(old, new, attempt=record.attempt, at_s=at_s)
    tx.add_events(record.id, drafts)
    return True


def judgement(
    reading: Reading, record: OperationRecord, service: Service, *, at_s: float, judges: Judges
) -> dict[str, Any]:
    """Return the assessment, the best step and the evaluations since, as stored with the operation."""
    declared = declarations(record, service)
    objective = objective_of(record, service)
    is_maximized = declared.get(objective or "", Declared()).maximize
    shown, spread = _best(reading, record, service, objective, maximize=is_maximized)
    standing = _standing(record, service, shown["best"], spread)
    standing = replace(standing, remaining_s=remaining_s(record, now_s=at_s))
    if record.state is State.RUNNING:
        silence = judges.silence(reading, record, at_s=at_s)
        standing = replace(
            standing,
            silent_s=silence.silent_s,
            interval_s=silence.interval_s,
            heartbeat_s=silence.heartbeat_s,
        )
    assessed = []
    for name in judged_scopes(reading, record, service):
        scope = _scope(record, service, name, declared, objective)
        said = judges.upto_now(reading, record, scope)
        assessed.append((assessment(said, standing), _evaluations(reading, record, scope, said.judged)))
    if not assessed:
        return {**shown, "assessment": None, "evaluations": None}
    worst, evaluations = min(assessed, key=lambda item: PRECEDENCE.index(item[0].verdict))
    return {**shown, "assessment": worst.model_dump(mode="json"), "evaluations": evaluations}


def _evaluations(reading: Reading, record: OperationRecord, scope: Scope, judged: str | None) -> dict[str, Any] | None:
    """Return how often the judged curve was evaluated, up to which step, and how often it will be by its budget."""
    series = list(reading.series(record.id, scope=scope.name, metrics=(judged,) if judged else ()))
    densest = max(series, key=lambda item: item.num_points, default=None)
    if densest is None:
        return None
    done, last = densest.num_points, densest.last_step
    expected = max(done, round(done * scope.budget / last)) if scope.budget and last > 0 else None
    return {"done": done, "expected": expected, "last_step": last}


def _best(
    reading: Reading, record: OperationRecord, service: Service, objective: str | None, *, maximize: bool
) -> tuple[dict[str, Any], float | None]:
    """Return the best step with the evaluations since, and the error of a single best value."""
    shown: dict[str, Any] = {"best": None, "steps_since_improvement": None}
    series = next(iter(reading.series(record.id, scope="", metrics=(objective,))), None) if objective else None
    curve = newest(reading, series) if series else []
    top = best(oriented(curve, maximize=maximize))
    if top is not None and series is not None:
        value = series.max_value if maximize else series.min_value
        step = series.max_step if maximize else series.min_step
        iterative = not service.judged
        near = (top.first_step, top.last_step) if iterative and step == top.step else None
        shown["best"] = {"metric": objective, "value": value, "step": step, "indistinguishable_from": near}
        shown["steps_since_improvement"] = evaluations_since(curve, step or 0)
    has_error = not service.judged and len(curve) >= 3
    return shown, noise(oriented(curve, maximize=maximize)) if has_error else None


def declarations(record: OperationRecord, service: Service) -> dict[str, Declared]:
    """Return what is declared of each metric: by the service, completed by the run."""
    found = {
        item.name: Declared(direction=item.direction, unit=item.unit, pairs=item.pairs, role=item.role)
        for item in service.metrics
    }
    for name, given in record.definitions.items():
        base = found.get(name, Declared())
        found[name] = Declared(
            direction=given.get("direction", base.direction),
            unit=given.get("unit", base.unit),
            pairs=given.get("pairs", base.pairs),
            baseline=given.get("baseline", base.baseline),
            baseline_name=given.get("baseline_name", base.baseline_name),
            role=Role(given["role"]) if given.get("role") in list(Role) else base.role,
        )
    return found


def objective_of(record: OperationRecord, service: Service) -> str | None:
    """Return the metric that counts: what the run defined, else what the service declares."""
    named = [name for name, given in record.definitions.items() if given.get("objective")]
    return named[-1] if named else service.objective


def judged_scopes(reading: Reading, record: OperationRecord, service: Service) -> list[str]:
    """Return the scopes that carry the verdict: those the run named, else those of the judged kinds, else ""."""
    if record.judged:
        return list(record.judged)
    if service.judged:
        kinds = [scope for scope in reading.scopes(record.id) if scope_kind(scope) in service.judged]
        return kinds or [""]
    return [""]


def _scope(
    record: OperationRecord, service: Service, name: str, declared: Mapping[str, Declared], objective: str | None
) -> Scope:
    total = record.progress.get("total")
    in_steps = name == "" and (record.progress.get("unit") or service.unit) == service.unit
    until = record.judged.get(name)
    told = record.definitions.get(objective or "", {}).get("settled_after")
    return Scope(
        name=name,
        unit=service.unit_of(name),
        declared=declared,
        objective=objective,
        budget=until if until is not None else total if total and in_steps else None,
        settled_after=told if name == "" and isinstance(told, int | float) else None,
    )


def _standing(
    record: OperationRecord, service: Service, top: Mapping[str, Any] | None, spread: float | None
) -> Standing:
    total, done = record.progress.get("total"), record.progress.get("done")
    return Standing(
        best=top["value"] if top else None,
        best_step=top["step"] if top else None,
        best_unit=service.unit,
        fraction=done / total if total and done is not None else None,
        ended=record.state in ENDED,
        spread=spread,
    )


def newest(reading: Reading, series: Any) -> list[tuple[int, float]]:
    """Return at most the newest 512 points in force, in order of steps."""
    inside = curves.segments(reading.connection, series.id, series.attempt)
    return sorted(curves.read_newest(reading.connection, series.id, inside, MAX_POINTS).items())


def _news(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, *, attempt: int, at_s: float) -> list[Draft]:
    """Return the events that tell what changed between two assessments."""
    if new is None:
        return []
    raised_before = {item["code"] for item in (old or {}).get("findings", []) if item["outcome"] == Outcome.ISSUE}
    drafts = [
        Draft(
            kind=EventKind.FINDING, at_s=at_s, data=item, scope=new["scope"], step=item["since_step"], attempt=attempt
        )
        for item in new["findings"]
        if item["outcome"] == Outcome.ISSUE and item["code"] not in raised_before
    ]
    before = old["verdict"] if old else Verdict.INSUFFICIENT_EVIDENCE
    if before != new["verdict"]:
        data = {"verdict": new["verdict"], "before": before, "sentence": new["sentence"]}
        drafts.append(
            Draft(
                kind=EventKind.VERDICT,
                at_s=at_s,
                data=data,
                scope=new["scope"],
                step=new["since_step"],
                attempt=attempt,
            )
        )
    return drafts


def assessment_of(record: OperationRecord) -> Assessment | None:
    """Return the stored assessment."""
    stored = (record.judgement or {}).get("assessment")
    return Assessment.model_validate(stored) if stored else None
