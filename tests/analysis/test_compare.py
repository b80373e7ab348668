"""Tests for comparisons: which is ahead, and whether chance explains it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tutelage.analysis.compare import compare
from tutelage.analysis.significance import t_of
from tutelage.core.wire import Best, ComparedOperation

LOSS = {"val_loss": "minimize"}


def run(name: str, value: float, *, noise: float | None = None) -> ComparedOperation:
    best = Best(metric="val_loss", value=value, step=10)
    return ComparedOperation.model_validate(
        {"id": f"op_{name}", "name": name, "state": "completed", "best": best, "noise": noise}
    )


def compared(sides: list[ComparedOperation], **lr: float) -> Any:
    configs = {side.id: {"lr": lr.get(side.name[0], 0.1), "seed": index} for index, side in enumerate(sides)}
    return compare(sides, configs, directions=LOSS)


@pytest.mark.parametrize(
    ("first", "second", "noise", "is_evidence"),
    [(1.0, 2.0, 0.1, True), (1.0, 1.1, 0.1, False), (1.0, 1.3, 0.1, True), (1.0, 1.0, 0.0, False)],
)
def test_one_run_each_is_held_against_its_noise(first: float, second: float, noise: float, is_evidence: bool) -> None:
    told = compared([run("a", first, noise=noise), run("b", second, noise=noise)], a=0.1, b=0.2).significance
    assert (told.by, told.is_evidence) == ("noise", is_evidence)
    assert ("No evidence of a difference" in told.sentence) is not is_evidence
    assert "other seeds may differ more" in told.sentence


def test_without_a_measured_noise_nothing_is_claimed() -> None:
    answer = compared([run("a", 1.0), run("b", 2.0)], a=0.1, b=0.2)
    assert answer.significance is None
    assert "whether that exceeds chance was not measured" in answer.sentence


def test_replicas_by_seed_give_welchs_interval() -> None:
    left = [run(f"a{index}", value) for index, value in enumerate((1.0, 1.2, 1.1))]
    right = [run(f"b{index}", value) for index, value in enumerate((2.0, 2.3, 1.9))]
    told = compared([*left, *right], a=0.1, b=0.2).significance
    assert told.by == "replicas"
    assert told.difference == pytest.approx(-0.9667, abs=1e-3)
    assert told.error == pytest.approx(0.1333, abs=1e-3)
    assert told.is_evidence
    assert told.low < told.difference < told.high < 0


def test_replicas_of_one_config_are_no_comparison_of_two() -> None:
    assert compared([run("a1", 1.0), run("a2", 1.3)]).significance is None


def test_equal_recipes_are_rarely_called_different() -> None:
    dice = random.Random(0)
    wrong = 0
    for _ in range(300):
        sides = [run(f"{name}{index}", dice.gauss(1, 0.1)) for name in "ab" for index in range(4)]
        wrong += compared(sides, a=0.1, b=0.2).significance.is_evidence
    assert wrong / 300 <= 0.08


@pytest.mark.parametrize(
    ("freedom", "t"), [(1, 12.706), (4.9, 2.776), (10, 2.228), (20, 2.228), (30, 2.045), (1e9, 1.96)]
)
def test_students_quantile_is_never_too_small(freedom: float, t: float) -> None:
    assert t_of(freedom) == t
