"""Gates judged: each rule of the job against the value that the result document carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tutelage.services.tabular.catalog import direction_of
from tutelage.services.tabular.config.gates import read_gate

AT_THRESHOLD = ("accuracy", "precision", "recall", "f1")
"""Scores that a tuned threshold changes on the test, and not in cross-validation."""

MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A measured value, or why there is none."""

    value: float | None = None
    reason: str = ""


def judge_gates(rules: Mapping[str, str], result: Mapping[str, Any]) -> dict[str, Any]:
    """Return `gates` (each rule with its value and whether it is met) and `gatesMet`; nothing where no rule is given.

    What was not measured is not met.
    """
    if not rules:
        return {}
    judged = [_judge(name, rule, result) for name, rule in rules.items()]
    return {"gates": judged, "gatesMet": all(entry["met"] for entry in judged)}


def unmet_sentences(judged: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each gate that is not met."""
    return [_sentence(entry) for entry in judged.get("gates", []) if not entry["met"]]


def _sentence(entry: Mapping[str, Any]) -> str:
    got = f"is {entry['value']:.5g}" if entry["value"] is not None else f"was not measured: {entry['reason']}"
    return f"{entry['name']} {got}, and must be {entry['rule']}"


def _judge(name: str, rule: str, result: Mapping[str, Any]) -> dict[str, Any]:
    gate, measured = read_gate(name, rule), measure(name, result)
    met = measured.value is not None and gate.holds(measured.value)
    reason = {"reason": measured.reason} if measured.reason else {}
    return {"name": name, "rule": gate.rule, "value": measured.value, "met": met, **reason}


def measure(name: str, result: Mapping[str, Any]) -> Measured:
    """Return what a result document says of a gate's name."""
    part, _, metric = name.partition(".")
    if metric:
        return _score(result, part, metric)
    return MEASURES[name](result)


def _score(result: Mapping[str, Any], part: str, metric: str) -> Measured:
    metrics = result["metrics"]
    value = metrics["test"].get(metric) if part == "test" else metrics["crossValidation"].get(f"{metric}_mean")
    if value is None:
        return Measured(reason=f"the {'test' if part == 'test' else 'cross-validation'} has no {metric}")
    return Measured(value=value)


def _over_folds(result: Mapping[str, Any], which: str) -> Measured:
    objective = result["metadata"]["objective"]
    value = result["metrics"]["crossValidation"].get(f"{objective}_{which}")
    return Measured(value=value) if value is not None else Measured(reason=f"no fold was scored by {objective}")


def _test_drop(result: Mapping[str, Any]) -> Measured:
    """Return how much worse the test is than the folds' mean, as a share of the mean's size."""
    metadata = result["metadata"]
    objective = metadata["objective"]
    mean, test = _over_folds(result, "mean").value, result["metrics"]["test"].get(objective)
    threshold = metadata.get("threshold")
    if threshold and objective in AT_THRESHOLD:
        mean = threshold["outOfFold"].get(objective)
        if mean is None:
            return Measured(reason=f"{objective} at the tuned threshold is known for the test alone")
    if mean is None or test is None:
        return Measured(reason=f"{objective} was not scored on {'the folds' if mean is None else 'the test'}")
    if mean == 0:
        return Measured(reason=f"the mean {objective} over the folds is 0: there is no share of it")
    worse = mean - test if direction_of(objective) == "maximize" else test - mean
    return Measured(value=worse / abs(mean))


def _quality(result: Mapping[str, Any]) -> Measured:
    found = result["metadata"].get("dataQuality")
    return Measured(value=float(found["score"])) if found else Measured(reason="the data were not scored")


def _latency(result: Mapping[str, Any]) -> Measured:
    value = result["metrics"].get("latency", {}).get("row_ms_p50")
    return Measured(value=float(value)) if value is not None else Measured(reason="the latency was not timed")


def _size(result: Mapping[str, Any]) -> Measured:
    found = result["metadata"].get("modelBytes")
    return Measured(value=found / MIB) if found is not None else Measured(reason="there is no model file")


MEASURES: Mapping[str, Callable[[Mapping[str, Any]], Measured]] = {
    "cv_mean": lambda result: _over_folds(result, "mean"),
    "cv_std": lambda result: _over_folds(result, "std"),
    "test_drop": _test_drop,
    "quality": _quality,
    "latency_ms": _latency,
    "model_mib": _size,
}
"""Gate -> where its value stands in the result document."""
