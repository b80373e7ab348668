"""Summaries in words, made from states, numbers and the judgement's own sentences; never from texts of data."""

from __future__ import annotations

from tutelage.core import wire
from tutelage.core.findings import Advice
from tutelage.core.operation import ENDED, State

WORDS = {
    State.PENDING: "waits for its turn",
    State.PAUSED: "is paused",
    State.INTERRUPTED: "was interrupted and is resumed by itself",
}


def operation(seen: wire.Operation) -> str:
    """Say how an operation stands: state, verdict, best value, advice."""
    parts = [f"{seen.id} {_state(seen)}."]
    if seen.error is not None:
        parts.append(f"It failed with code {seen.error.code}; error.hint says what to do.")
    if seen.assessment is not None:
        parts.append(f"Verdict {seen.assessment.verdict}: {seen.assessment.sentence}")
        if seen.assessment.recommendation.do is not Advice.CONTINUE and seen.state not in ENDED:
            parts.append(f"Recommendation: {seen.assessment.recommendation.do}.")
    best = seen.metrics.best
    if best is not None and seen.assessment is None:
        parts.append(f"Best {best.metric} {best.value:.5g} at {seen.metrics.unit} {best.step}.")
    if seen.waiting_for is not None and seen.waiting_for.kind == "approval":
        parts.append("It waits for approve or reject (control_operation).")
    return " ".join(parts)


def metric(info: wire.MetricInfo) -> str:
    """Say what a metric means: direction, unit, meaning."""
    return "; ".join(part for part in (info.direction or "", info.unit, info.about) if part)


def _state(seen: wire.Operation) -> str:
    if seen.state is State.COMPLETED:
        return "completed, stopped early" if seen.stopped_early else "completed"
    if seen.state is State.RUNNING:
        done = f", {seen.progress.fraction:.0%} done" if seen.progress.fraction is not None else ""
        return f"runs (phase {seen.phase or 'start'}{done})"
    return WORDS.get(seen.state, f"is {seen.state}")
