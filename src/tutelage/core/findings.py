"""The words of judgement: verdicts in their order of precedence, outcomes, severities, advice."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """One word on a run's health; the first that holds in this order is the verdict."""

    NON_FINITE = "non_finite"
    DIVERGED = "diverged"
    STALLED = "stalled"
    OVERFITTING = "overfitting"
    NOT_LEARNING = "not_learning"
    PLATEAUED = "plateaued"
    IMPROVING = "improving"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    FINISHED = "finished"


NEEDS_SOMEBODY = frozenset(
    {Verdict.NON_FINITE, Verdict.DIVERGED, Verdict.STALLED, Verdict.OVERFITTING, Verdict.NOT_LEARNING}
)
"""Verdicts that ask for attention on a live operation."""


class Outcome(StrEnum):
    """What one check found."""

    ISSUE = "issue"
    PASSED = "passed"
    NOT_APPLICABLE = "not_applicable"
    SKIPPED = "skipped"


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Advice(StrEnum):
    """What an assessment recommends."""

    CONTINUE = "continue"
    STOP = "stop"
    USE_CHECKPOINT = "use_checkpoint"
    TUNE = "tune"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
