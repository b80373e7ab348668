"""Real small trainings with a fault put in: a multi-layer perceptron in NumPy on the handwritten digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from tutelage.analysis import Declared, Judge, Role, Scope, Standing, assessment
from tutelage.core.findings import Outcome
from tutelage.core.wire import Assessment

NUM_CLASSES = 10
HIDDEN = 64
NUM_VALIDATION = 600
TRIVIAL = math.log(NUM_CLASSES)
"""What a model without weights reaches: the cross-entropy of ten classes of about the same size, nats."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one network is trained; the defaults are healthy."""

    rate: float = 0.05
    rows: int = 1100
    label_noise: float = 0.0
    nan_at: int | None = None
    is_frozen: bool = False
    epochs: int = 60
    batch: int = 32


HEALTHY = Recipe()
FAULTS: dict[str, Recipe] = {
    "rate_x100": replace(HEALTHY, rate=HEALTHY.rate * 100),
    "rate_1000th": replace(HEALTHY, rate=HEALTHY.rate / 1000),
    "label_noise": replace(HEALTHY, rate=0.3, label_noise=0.4, rows=600, epochs=120),
    "tiny_data": replace(HEALTHY, rate=0.3, rows=60, label_noise=0.2, epochs=200),
    "nan_batch": replace(HEALTHY, nan_at=20),
    "frozen": replace(HEALTHY, is_frozen=True),
    "none": HEALTHY,
}
"""Fault -> how it is trained."""
SEEDS = {"none": 2}
NUM_SEEDS = 3


@dataclass
class Network:
    """A perceptron with one hidden layer, trained by plain stochastic gradient descent."""

    rng: np.random.Generator
    weights: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        first = self.rng.normal(size=(64, HIDDEN)) / 8
        second = self.rng.normal(size=(HIDDEN, NUM_CLASSES)) / 8
        self.weights = [first, np.zeros(HIDDEN), second, np.zeros(NUM_CLASSES)]

    def loss(self, x: Any, y: Any) -> float:
        """Return the mean cross-entropy, nats."""
        _, logits = self._forward(x)
        return float(-_log_softmax(logits)[np.arange(len(y)), y].mean())

    def step(self, x: Any, y: Any, *, rate: float) -> float:
        """Take one step down the gradient; return the gradient's norm."""
        hidden, logits = self._forward(x)
        error = np.exp(_log_softmax(logits))
        error[np.arange(len(y)), y] -= 1
        error /= len(y)
        back = (error @ self.weights[2].T) * (hidden > 0)
        gradients = [x.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
        self.weights = [weight - rate * slope for weight, slope in zip(self.weights, gradients, strict=True)]
        return math.sqrt(sum(float((slope**2).sum()) for slope in gradients))

    def _forward(self, x: Any) -> tuple[Any, Any]:
        hidden = np.maximum(x @ self.weights[0] + self.weights[1], 0)
        return hidden, hidden @ self.weights[2] + self.weights[3]


def _log_softmax(logits: Any) -> Any:
    shifted = logits - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def train(recipe: Recipe, seed: int) -> dict[str, list[tuple[int, float]]]:
    """Train for real, and return the curves by epoch: train and validation loss, gradient norm, learning rate."""
    rng = np.random.default_rng(seed)
    x, y = load_digits(return_X_y=True)
    order = rng.permutation(len(x))
    x, y = x[order] / 16, y[order]
    x_val, y_val = x[:NUM_VALIDATION], y[:NUM_VALIDATION]
    x_train, y_train = x[NUM_VALIDATION:][: recipe.rows], y[NUM_VALIDATION:][: recipe.rows].copy()
    wrong = rng.random(len(y_train)) < recipe.label_noise
    y_train[wrong] = rng.integers(0, NUM_CLASSES, wrong.sum())
    network, curves = Network(rng), {name: [] for name in ("train_loss", "val_loss", "grad_norm", "lr")}
    with np.errstate(all="ignore"):
        for epoch in range(1, recipe.epochs + 1):
            norm = _epoch(network, x_train, y_train, recipe, rng, has_nan=epoch == recipe.nan_at)
            told = (network.loss(x_train, y_train), network.loss(x_val, y_val), norm, recipe.rate)
            for curve, value in zip(curves.values(), told, strict=True):
                curve.append((epoch, value))
    return curves


def _epoch(network: Network, x: Any, y: Any, recipe: Recipe, rng: np.random.Generator, *, has_nan: bool) -> float:
    order, norm = rng.permutation(len(x)), 0.0
    rate = 0.0 if recipe.is_frozen else recipe.rate
    for begin in range(0, len(x), recipe.batch):
        rows = order[begin : begin + recipe.batch]
        batch = x[rows] * math.nan if has_nan and begin == 0 else x[rows]
        norm = network.step(batch, y[rows], rate=rate)
    return norm


def judged(curves: dict[str, list[tuple[int, float]]], recipe: Recipe) -> Assessment:
    """Return what is said at the end of a run that has not ended yet: everything but `finished` can be said."""
    declared = {
        "val_loss": Declared(direction="minimize", unit="nats", pairs="train_loss", baseline=TRIVIAL),
        "train_loss": Declared(direction="minimize", unit="nats"),
        "grad_norm": Declared(role=Role.GRADIENT_NORM),
        "lr": Declared(role=Role.LEARNING_RATE),
    }
    judge = Judge(Scope(unit="epoch", declared=declared, objective="val_loss", budget=recipe.epochs))
    assert judge.extend(curves), "a fresh judge takes every point"
    return assessment(judge, Standing(fraction=1.0))


def _says(*verdicts: str) -> Callable[[Assessment], bool]:
    return lambda said: said.verdict in verdicts


def _says_raise_the_rate(said: Assessment) -> bool:
    raised = {item.code for item in said.findings if item.outcome is Outcome.ISSUE}
    return said.verdict == "not_learning" or "H008" in raised


RIGHT: dict[str, Callable[[Assessment], bool]] = {
    "rate_x100": _says("diverged", "non_finite", "not_learning"),
    "rate_1000th": _says_raise_the_rate,
    "label_noise": _says("overfitting"),
    "tiny_data": _says("overfitting"),
    "nan_batch": _says("non_finite"),
    "frozen": _says("not_learning"),
    "none": _says("improving", "plateaued", "insufficient_evidence"),
}
"""Fault -> whether an assessment names it."""


def named(first_seed: int, faults: Sequence[str] = tuple(FAULTS)) -> list[tuple[str, int, Assessment, bool]]:
    """Train every fault at its seeds; return what was said of each, and whether it is right."""
    found = []
    for fault in faults:
        for seed in range(first_seed, first_seed + SEEDS.get(fault, NUM_SEEDS)):
            said = judged(train(FAULTS[fault], seed), FAULTS[fault])
            found.append((fault, seed, said, RIGHT[fault](said)))
    return found
