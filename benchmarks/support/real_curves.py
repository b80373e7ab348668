"""Real healthy learning curves of language models: no finding is right on them; made to rise, one must come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.support.labelled_curves import Point
from benchmarks.support.verdicts import Said, judge_points
from tutelage.analysis.pair import Facts
from tutelage.analysis.rules import Rules

FILE = Path("curves") / "modded_nanogpt" / "val_train.jsonl"
MIN_EVALUATIONS = 8
NOISES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Noise added to them, as a share of the fall after the first tenth."""
RISE_NATS = 0.4
TURN = 0.5
MIN_TO_TURN = 16
"""A curve needs so many evaluations to turn half-way and leave enough to tell."""


@dataclass(frozen=True, kw_only=True)
class Healthy:
    """One run: validation loss in nats, and its train loss where the log has one."""

    val: list[Point]
    train: list[tuple[float, float]]

    @property
    def facts(self) -> Facts:
        """What a judge knows of it."""
        return Facts(budget=self.val[-1][0])


def healthy_curves(folder: Path, *, every: int = 1) -> list[Healthy]:
    """Return the curves with at least eight distinct evaluations; of a log with several runs, the first one."""
    with (folder / FILE).open() as lines:
        read = [_read(json.loads(line)) for index, line in enumerate(lines) if index % every == 0]
    return [curve for curve in read if len(curve.val) >= MIN_EVALUATIONS]


def _read(record: dict[str, list[tuple[int, float]]]) -> Healthy:
    val: list[Point] = []
    for step, value in record["val"]:
        if val and step < val[-1][0]:
            break
        if not val or step > val[-1][0]:
            val.append((max(step, 1), value))
    return Healthy(val=val, train=[(step, value) for step, value in record["train"] if value is not None])


@dataclass(frozen=True, kw_only=True)
class Alarms:
    """How often a healthy curve was called overfitting at any prefix, and how many were looked at, by noise."""

    share: dict[float, float]
    num: int

    @property
    def pooled(self) -> float:
        """The share over all noises."""
        return sum(self.share.values()) / len(self.share)


def false_alarms(curves: list[Healthy], rules: Rules, seed: int) -> Alarms:
    """Judge the curves as they are, and with noise added."""
    rng, shares = np.random.default_rng(seed), {}
    for noise in NOISES:
        raised = sum(any(item.is_overfitting for item in _noisy(curve, noise, rng, rules)) for curve in curves)
        shares[noise] = raised / len(curves)
    return Alarms(share=shares, num=len(curves))


def _noisy(curve: Healthy, noise: float, rng: np.random.Generator, rules: Rules) -> list[Said]:
    if not noise:
        return judge_points(curve.val, curve.train, curve.facts, rules)
    values = np.array([value for _, value in curve.val])
    fall = values[len(values) // 10] - values.min()
    drawn = values + noise * fall * rng.normal(size=len(values))
    val = [(step, float(value)) for (step, _), value in zip(curve.val, drawn, strict=True)]
    return judge_points(val, [], curve.facts, rules)


def power(curves: list[Healthy], rules: Rules) -> tuple[float, int]:
    """Return how often a curve that rises by 0.4 nats from half-way on is called worse at its end, and of how many."""
    told = [_is_told(turned, rules) for turned in made_to_rise(curves)]
    return sum(told) / len(told), len(told)


def made_to_rise(curves: list[Healthy]) -> Iterator[Healthy]:
    """Yield the curves that are long enough, turned upwards at half-way, train as it was."""
    for curve in curves:
        if len(curve.val) < MIN_TO_TURN:
            continue
        turn = int(TURN * len(curve.val))
        low, left = curve.val[turn][1], len(curve.val) - 1 - turn
        rising = [(step, low + RISE_NATS * (index + 1) / left) for index, (step, _) in enumerate(curve.val[turn + 1 :])]
        yield Healthy(val=[*curve.val[: turn + 1], *rising], train=curve.train)


def _is_told(curve: Healthy, rules: Rules) -> bool:
    """Without a train curve overfitting and divergence can hardly be told apart: either counts."""
    last = judge_points(curve.val, curve.train, curve.facts, rules)[-1]
    return last.is_overfitting or last.is_diverged
