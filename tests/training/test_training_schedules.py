"""Schedules at each step against closed forms and torch's own."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.core.training import SCHEDULES
from tutelage.training import create_schedule
from tutelage.training.schedules import SHAPES, Plateau

TOTAL = 100

CLOSED: dict[str, tuple[dict[str, Any], Callable[[int], float]]] = {
    "constant": ({}, lambda t: 1.0),
    "linear": ({"final": 0.1}, lambda t: 1 - 0.9 * t / TOTAL),
    "step": ({"every": 30, "gamma": 0.5}, lambda t: 0.5 ** (t // 30)),
    "exponential": ({"gamma": 0.97}, lambda t: 0.97**t),
    "polynomial": ({"power": 3, "final": 0.2}, lambda t: 0.2 + 0.8 * (1 - t / TOTAL) ** 3),
    "cosine": ({"final": 0.1}, lambda t: 0.1 + 0.9 * (1 + math.cos(math.pi * t / TOTAL)) / 2),
    "cosine_restarts": ({"period": 25}, lambda t: (1 + math.cos(math.pi * (t % 25) / 25)) / 2),
    "inverse_sqrt": ({"timescale": 10}, lambda t: math.sqrt(10 / (10 + t))),
    "warmup_stable_decay": ({"decay_steps": 20, "final": 0.1}, lambda t: 1 if t < 80 else 1 - 0.9 * (t - 80) / 20),
}


@pytest.mark.parametrize("name", sorted(CLOSED))
@pytest.mark.parametrize("warmup", [0, 7])
def test_every_value_is_its_closed_form(name: str, warmup: int) -> None:
    options, form = CLOSED[name]
    schedule = create_schedule({"name": name, "warmup_steps": warmup, **options})
    values = [schedule.factor(step, max_steps=TOTAL + warmup) for step in range(TOTAL + warmup)]
    expected = [(step + 1) / warmup for step in range(warmup)] + [form(t) for t in range(TOTAL)]
    assert values == pytest.approx(expected, abs=1e-12)


def test_growing_restarts_are_torch_s() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=10, T_mult=2, eta_min=0.1)
    schedule = create_schedule({"name": "cosine_restarts", "period": 10, "growth": 2, "final": 0.1})
    for step in range(69):
        assert schedule.factor(step, max_steps=TOTAL) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
        optimizer.step()
        theirs.step()


def test_one_cycle_is_torch_s() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=TOTAL, cycle_momentum=False)
    schedule = create_schedule({"name": "one_cycle"})
    for step in range(TOTAL):
        assert schedule.factor(step, max_steps=TOTAL) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
        optimizer.step()
        if step < TOTAL - 1:
            theirs.step()


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"plateau"}))
def test_every_schedule_stays_within_0_and_1_and_beyond_its_end(name: str) -> None:
    needed = {"step": {"every": 10}, "exponential": {"gamma": 0.9}, "cosine_restarts": {"period": 9}}
    schedule = create_schedule({"name": name, "warmup_steps": 3, **needed.get(name, {})})
    assert all(0 <= schedule.factor(step, max_steps=50) <= 1 for step in range(80))


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_the_known_keys_are_those_of_the_functions(name: str) -> None:
    assert set(inspect.signature(SHAPES[name]).parameters) - {"t", "total"} == SCHEDULES[name]


def test_plateau_lowers_the_rate_after_its_patience_and_goes_on_from_its_state() -> None:
    schedule = create_schedule({"name": "plateau", "gamma": 0.5, "patience": 1, "final": 0.2})
    factors = []
    for value in (3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0):
        schedule.observe(value, is_better_low=True)
        factors.append(schedule.factor(0, max_steps=1))
    assert factors == [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2]
    again = Plateau(gamma=0.5, patience=1, final=0.2)
    again.load_state_dict(schedule.state_dict())
    assert again.state_dict() == schedule.state_dict()


@pytest.mark.parametrize(
    ("config", "settled"),
    [({"name": "constant"}, 0), ({"name": "constant", "warmup_steps": 5}, 5), ({"name": "cosine"}, 50)],
)
def test_it_tells_when_the_rate_is_settled(config: dict[str, Any], settled: int) -> None:
    assert create_schedule(config).settled_after(50) == settled


def test_unknown_and_missing_keys_are_named() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'cosine'"):
        create_schedule({"name": "cosin"})
    with pytest.raises(UnknownName, match="Did you mean 'warmup_steps'"):
        create_schedule({"name": "cosine", "warmup_step": 3})
    with pytest.raises(InvalidSpec, match="every"):
        create_schedule({"name": "step"})
