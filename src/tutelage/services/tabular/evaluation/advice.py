"""Recommendations: a table of rules over what was measured. Each says what was seen and what to do about it.

`evaluatorFeedback` reads these codes again, so that an evaluation can be handed to the next job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tutelage.services.tabular.catalog import is_better
from tutelage.services.tabular.report.gates import measure

DROP, UNSTABLE, DISPARITY, DOMINANT = 0.10, 0.10, 0.10, 0.80
LOW_RECALL, SMALL_TEST, MANY_TRIALS, LATE = 0.50, 200, 10, 0.80

Facts = Mapping[str, Any]
"""The result document under `result`, the evaluation so far under `evaluation`."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`when` returns the figures that speak for the rule, or None."""

    code: str
    when: Callable[[Facts], Mapping[str, Any] | None]
    says: str


def recommendations(result: Mapping[str, Any], evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the figures recommend, in the order of the table."""
    facts = {"result": result, "evaluation": evaluation}
    seen = ((rule, rule.when(facts)) for rule in RULES)
    return [{"code": rule.code, "text": rule.says, "evidence": dict(why)} for rule, why in seen if why is not None]


def _no_better(facts: Facts) -> Mapping[str, Any] | None:
    metadata = facts["result"]["metadata"]
    objective = metadata["objective"]
    value, trivial = facts["result"]["metrics"]["test"].get(objective), metadata["baseline"].get(objective)
    if value is None or trivial is None or is_better(objective, value, trivial):
        return None
    return {"metric": objective, "test": value, "trivial": trivial}


def _worse_test(facts: Facts) -> Mapping[str, Any] | None:
    drop = measure("test_drop", facts["result"]).value
    return {"test_drop": drop} if drop is not None and drop > DROP else None


def _unstable(facts: Facts) -> Mapping[str, Any] | None:
    mean, std = (measure(name, facts["result"]).value for name in ("cv_mean", "cv_std"))
    if mean is None or std is None or std <= UNSTABLE * abs(mean):
        return None
    return {"cv_mean": mean, "cv_std": std}


def _worse_groups(facts: Facts) -> Mapping[str, Any] | None:
    worst = facts["evaluation"]["sliceMetrics"]["worst"]
    return {"groups": [f"{item['column']}: {item['group']}" for item in worst]} if worst else None


def _missed(facts: Facts) -> Mapping[str, Any] | None:
    grid = facts["evaluation"]["thresholdAnalysis"]
    recall = facts["result"]["metrics"]["test"].get("recall")
    if grid is None or facts["result"]["metadata"].get("threshold") or recall is None or recall >= LOW_RECALL:
        return None
    return {"recall": recall, "threshold": grid["chosen"]}


def _small(facts: Facts) -> Mapping[str, Any] | None:
    rows = facts["result"]["metadata"]["rowsTest"]
    return {"rowsTest": rows} if rows < SMALL_TEST else None


def _late(facts: Facts) -> Mapping[str, Any] | None:
    metadata = facts["result"]["metadata"]
    best, count = metadata["bestTrialNumber"], metadata["nTrials"]
    return {"bestTrial": best, "nTrials": count} if count >= MANY_TRIALS and best >= LATE * count else None


def _unequal(facts: Facts) -> Mapping[str, Any] | None:
    """Judge by the basic bootstrap's lower limit: a range of groups is biased upwards, and its percentiles twice."""
    found = {
        f"{item['column']}.{name}": {"value": figures["value"], "atLeast": 2 * figures["value"] - figures["high"]}
        for item in facts["evaluation"].get("sensitiveFeatures", [])
        for name, figures in item["differences"].items()
        if name in ("demographicParityDifference", "equalizedOddsDifference", "accuracyDifference")
        and figures["high"] is not None
        and 2 * figures["value"] - figures["high"] > DISPARITY
    }
    return found or None


def _dominant(facts: Facts) -> Mapping[str, Any] | None:
    shares = facts["result"]["featureImportance"]
    top = max(shares, key=lambda name: shares[name], default=None)
    return {"column": top, "share": shares[top]} if top is not None and shares[top] > DOMINANT else None


RULES: tuple[Rule, ...] = (
    Rule(
        code="no_better_than_trivial",
        when=_no_better,
        says="the model is no better on the test than the trivial one: look at the target and the columns first",
    ),
    Rule(
        code="test_worse_than_folds",
        when=_worse_test,
        says="the test is over 10 % worse than the folds: look for a shift between them, or a leak in the folds",
    ),
    Rule(
        code="unstable_folds",
        when=_unstable,
        says="the folds differ by over 10 % of their mean: use more rows, or `repeated` folds",
    ),
    Rule(
        code="worse_groups",
        when=_worse_groups,
        says="the model errs more for these groups: look at what their errors share",
    ),
    Rule(
        code="low_recall",
        when=_missed,
        says="over half of the second class is missed at one half: set optimizeFor or businessContext",
    ),
    Rule(code="small_test", when=_small, says="the test has under 200 rows: read its scores with their intervals"),
    Rule(
        code="more_trials",
        when=_late,
        says="the best trial came in the last fifth of the search: more trials may find a better one",
    ),
    Rule(
        code="unequal_groups",
        when=_unequal,
        says="groups of a sensitive column differ by over 0.10 at the least: have the use of the model reviewed",
    ),
    Rule(
        code="one_column_decides",
        when=_dominant,
        says="one column has over 80 % of the importance: make sure that it is known before the target is",
    ),
)
