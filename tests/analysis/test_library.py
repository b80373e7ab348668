"""`tutelage.assess`: the judge as a function of curves from anywhere."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from tests.analysis.curves import NAN, falling, turning

import tutelage
from tutelage.core.errors import InvalidSpec, UnknownName


def test_losses_are_minimised_and_paired_by_default() -> None:
    found = tutelage.assess({"train_loss": falling(80), "val_loss": turning(80)})
    assert found.verdict == "overfitting"
    assert "train_loss" in found.sentence
    assert found.recommendation.do == "stop"
    assert found.evidence[-1].label == "best val_loss"


def test_lists_of_pairs_are_taken_as_they_come_from_json() -> None:
    curve = [[step, value] for step, value in turning(80)]
    assert tutelage.assess({"val_loss": curve}).verdict == "overfitting"


def test_another_name_needs_a_direction() -> None:
    accuracy = [(step, -value) for step, value in turning(80)]
    assert tutelage.assess({"acc": accuracy}, directions={"acc": "maximize"}).verdict == "overfitting"
    assert tutelage.assess({"acc": accuracy}, directions={"acc": "minimize"}).verdict != "overfitting"


def test_the_metric_that_counts_may_be_named() -> None:
    curves = {"val_loss": falling(80), "other_loss": turning(80)}
    assert tutelage.assess(curves).verdict == "improving"
    assert tutelage.assess(curves, objective="other_loss").verdict == "overfitting"


def test_a_baseline_a_role_and_a_budget_may_be_given() -> None:
    curves = {"val_loss": falling(40), "rate": [(step, 0.1) for step in range(1, 41)]}
    found = tutelage.assess(curves, roles={"rate": "learning_rate"}, baselines={"val_loss": 0.1}, budget=40)
    assert found.verdict != "insufficient_evidence"
    assert {item.code: item.outcome for item in found.findings}["H008"] == "passed"
    assert tutelage.assess(curves, baselines={"val_loss": 9.0}).evidence[-1].label.startswith("trivial baseline")


def test_an_ended_run_is_finished_or_points_at_its_best_step() -> None:
    assert tutelage.assess({"val_loss": falling(80)}, ended=True).verdict == "finished"
    found = tutelage.assess({"val_loss": turning(80)}, ended=True)
    assert found.recommendation.do == "use_checkpoint"


def test_a_nan_is_told() -> None:
    assert tutelage.assess({"loss": [(1, 1.0), (2, NAN)]}).verdict == "non_finite"


@pytest.mark.parametrize(
    ("curves", "arguments", "kind", "says"),
    [
        ({}, {}, InvalidSpec, "no curve is given"),
        ({"reward": [(1, 1.0)]}, {}, InvalidSpec, "'reward' has no direction"),
        ({"loss": [1.0, 2.0]}, {}, InvalidSpec, r"point 0 of curve 'loss' must be \(step, value\)"),
        ({"loss": [(1, "low")]}, {}, InvalidSpec, "must be"),
        ({"loss": [(1.5, 1.0)]}, {}, InvalidSpec, "whole number, got 1.5"),
        ({"loss": [(1, 1.0)]}, {"directions": {"los": "minimize"}}, UnknownName, "Did you mean 'loss'"),
        ({"loss": [(1, 1.0)]}, {"directions": {"loss": "down"}}, UnknownName, "unknown direction 'down'"),
        ({"loss": [(1, 1.0)]}, {"pairs": {"loss": "train"}}, UnknownName, "unknown curve 'train'"),
        ({"loss": [(1, 1.0)]}, {"roles": {"loss": "lr"}}, UnknownName, "unknown role 'lr'"),
        ({"loss": [(1, 1.0)], "a": [(1, 1.0)]}, {"objective": "a"}, InvalidSpec, "'a' has no direction"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    curves: dict[str, Any], arguments: dict[str, Any], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        tutelage.assess(curves, **arguments)


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, tutelage; print('pydantic' in sys.modules, callable(tutelage.assess), 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True"]


def test_an_unknown_attribute_names_what_there_is() -> None:
    with pytest.raises(AttributeError, match="public: assess"):
        getattr(tutelage, "asses")  # noqa: B009 - a name that is not there
