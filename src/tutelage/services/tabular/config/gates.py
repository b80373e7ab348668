"""Gates of a job: rules such as `>= 0.85` that what was measured must keep. Read and checked at submission."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.services.tabular import catalog

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
RULE = re.compile(r"\s*(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*\Z")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

GATES: Mapping[str, str] = {
    "cv_mean": "mean of the objective over the folds",
    "cv_std": "standard deviation of the objective over the folds",
    "test_drop": "how much worse the objective is on the test than its mean over the folds, as a share of that mean; "
    "negative where the test is better",
    "quality": "score of the training data, 0 to 100, as `tutelage inspect` gives it",
    "latency_ms": "milliseconds to predict one row, median, where it was timed",
    "model_mib": "size of the model's file, MiB",
}
"""Gates beside `test.METRIC` (a score on the held-out test) and `cv.METRIC` (its mean over the folds)."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One rule: the measured value of `name` must stand in this relation to `bound`."""

    name: str
    rule: str
    sign: str
    bound: float

    def holds(self, value: float) -> bool:
        """Tell whether a measured value keeps the rule."""
        return OPERATORS[self.sign](value, self.bound)


def gate_names(model_type: str | None) -> list[str]:
    """Return every gate of a task, or of all tasks where the task is not known yet."""
    tasks = (model_type,) if model_type else catalog.TASKS
    metrics = [item.name for task in tasks for item in catalog.SCORES[task]]
    return [*(f"{part}.{metric}" for part in ("test", "cv") for metric in metrics), *GATES]


def read_gate(name: str, rule: str) -> Gate:
    """Return the gate of a name and its rule. Raises InvalidSpec for a rule that is none."""
    found = RULE.match(rule)
    if found is None:
        raise InvalidSpec(
            f"the gate {name!r} has the rule {rule!r}, which is not an operator and a number",
            hint=f'allowed: {", ".join(OPERATORS)} and a number, as in ">= 0.85"',
        )
    return Gate(name=name, rule=f"{found[1]} {found[2]}", sign=found[1], bound=float(found[2]))


def read_gates(rules: Mapping[str, str]) -> dict[str, str]:
    """Return the rules in their plain form, names in snake_case. Raises InvalidSpec for a name given twice."""
    read: dict[str, str] = {}
    for name, rule in rules.items():
        plain = HUMP.sub("_", name.strip()).lower()
        if plain in read:
            raise InvalidSpec(f"the gate {plain!r} is given twice", hint="keep one rule a name")
        read[plain] = read_gate(plain, rule).rule
    return read


def check_gates(gates: Mapping[str, str], model_type: str | None) -> None:
    """Refuse a gate that the task has not. Raises UnknownName with the nearest one."""
    names = gate_names(model_type)
    for name in gates:
        if name not in names:
            raise unknown(f"gate for {model_type}" if model_type else "gate", name, names)
