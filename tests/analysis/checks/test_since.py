"""The step since which a side signal is wrong is that of the change, and stays there as the run goes on."""

from __future__ import annotations

import pytest
from tests.analysis.curves import Points

from tutelage.analysis import Declared, Role, Scope, assess
from tutelage.analysis.checks.signals import began
from tutelage.core.findings import Outcome

CHANGE = 61
TABLE = [
    ("H009", Role.GRADIENT_NORM, 1.0, 15.0),
    ("H009", Role.GRADIENT_NORM, 1.0, 0.001),
    ("H009", Role.UPDATE_RATIO, 0.001, 0.1),
    ("H011", Role.STEP_TIME, 1.0, 2.5),
    ("H011", Role.THROUGHPUT, 100.0, 40.0),
    ("H101", Role.ENTROPY, 1.0, 0.01),
    ("H102", Role.KL, 0.01, 0.2),
    ("H103", Role.EXPLAINED_VARIANCE, 0.5, -0.3),
    ("H104", Role.CAUSAL_INFLUENCE, 0.3, 0.02),
]


def changed(num: int, before: float, after: float) -> Points:
    return [(step, before if step < CHANGE else after) for step in range(1, num + 1)]


@pytest.mark.parametrize(("code", "role", "before", "after"), TABLE)
def test_it_is_that_of_the_change_however_many_values_follow(
    code: str, role: Role, before: float, after: float
) -> None:
    scope = Scope(declared={"signal": Declared(role=role)})
    said = [assess(scope, {"signal": changed(num, before, after)}) for num in range(CHANGE + 8, CHANGE + 40)]
    found = [next(item for item in each.findings if item.code == code) for each in said]
    assert {(item.outcome, item.since_step) for item in found} == {(Outcome.ISSUE, CHANGE)}


@pytest.mark.parametrize(
    ("values", "since"),
    [
        ("..........", None),
        ("......xxxx", 6),
        ("......x.xx", 6),
        ("x....xxxxx", 5),
        ("x...xxxxxx", 0),
        ("xxxxxx....", 0),
        ("xx....x...", 6),
    ],
    ids=str,
)
def test_fewer_than_four_right_values_in_a_row_end_no_stretch(values: str, since: int | None) -> None:
    points = [(step, 1.0 if sign == "x" else 0.0) for step, sign in enumerate(values)]
    assert began(points, lambda value: value > 0.5) == since
