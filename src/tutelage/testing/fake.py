"""FakeService: a real small optimisation that trains in milliseconds, and misbehaves when asked to.

Linear regression by gradient descent in plain Python. With more features than rows and noise in the targets it
overfits; with a large learning rate it diverges to infinity and NaN; both for real.
"""

from __future__ import annotations

import json
import math
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from tutelage.core.commands import Verb
from tutelage.core.errors import InvalidSpec
from tutelage.core.ports import Emit, Requests
from tutelage.core.service import Metric, Service, Tunable
from tutelage.core.spec import Document
from tutelage.run import FileRun

SERVICE = Service(
    name="fake",
    about="linear regression by gradient descent: for tests of everything around a training",
    unit="step",
    config="tutelage.testing.fake:FakeConfig",
    train="tutelage.testing.fake:train",
    use="tutelage.testing.fake:use",
    inspect="tutelage.testing.fake:inspect",
    supports=frozenset({"checkpoint", "branch", "tune"}),
    objective="val_loss",
    metrics=(
        Metric(name="train_loss", about="mean squared error on the training rows", direction="minimize"),
        Metric(
            name="val_loss",
            about="mean squared error on the validation rows",
            direction="minimize",
            pairs="train_loss",
        ),
        Metric(name="weight_norm", about="Euclidean norm of the weights"),
    ),
    tunables=(
        Tunable("lr", float, 0.0, 1e3, about="learning rate"),
        Tunable("steps", int, 1, 10_000_000, about="number of steps"),
    ),
    presets={"overfit": {"rows": 12, "features": 40, "noise": 1.0, "steps": 400}, "diverge": {"lr": 1e6}},
)


class FakeConfig(Document):
    """What to train, and how to misbehave."""

    steps: int = Field(100, ge=1, description="gradient steps")
    lr: float = Field(0.05, ge=0, description="learning rate")
    rows: int = Field(40, ge=2, le=10_000, description="training rows")
    features: int = Field(5, ge=1, le=1_000, description="features")
    noise: float = Field(0.1, ge=0, description="standard deviation of the noise in the targets")
    step_s: float = Field(0.0, ge=0, le=60, description="pause after each step, seconds")
    checkpoint_every: int = Field(10, ge=0, description="steps between checkpoints; 0: only when asked")
    crash_at: int | None = Field(None, description="raise an error at this step")
    exit_at: int | None = Field(None, description="end the process without a word at this step, once")
    hang_at: int | None = Field(None, description="stop hearing commands at this step")
    grow_at: int | None = Field(None, description="take memory without end from this step on")
    ask_at: int | None = Field(None, description="wait for an approval at this step")
    out_path: str | None = Field(None, description="also write the weights to this file")


@dataclass
class Problem:
    """Rows, targets and the weights so far."""

    train: list[tuple[list[float], float]]
    val: list[tuple[list[float], float]]
    weights: list[float]

    @classmethod
    def of(cls, config: FakeConfig, seed: int) -> Problem:
        """Draw a problem from a seed."""
        draw = random.Random(seed)
        truth = [draw.gauss(0, 1) if index < 3 else 0.0 for index in range(config.features)]
        rows = [_row(draw, truth, config.noise) for _ in range(config.rows * 2)]
        return cls(train=rows[: config.rows], val=rows[config.rows :], weights=[0.0] * config.features)

    def step(self, lr: float) -> None:
        """Take one step down the gradient of the mean squared error on the training rows."""
        gradient = [0.0] * len(self.weights)
        for features, target in self.train:
            error = predict(self.weights, features) - target
            for index, value in enumerate(features):
                gradient[index] += 2 * error * value / len(self.train)
        self.weights = [weight - lr * slope for weight, slope in zip(self.weights, gradient, strict=True)]

    def loss(self, rows: Sequence[tuple[list[float], float]]) -> float:
        """Return the mean squared error on rows."""
        try:
            return sum((predict(self.weights, features) - target) ** 2 for features, target in rows) / len(rows)
        except OverflowError:
            return math.inf


def predict(weights: Sequence[float], features: Sequence[float]) -> float:
    """Return the model's value for one row."""
    return sum(weight * value for weight, value in zip(weights, features, strict=True))


def train(config: FakeConfig, run: FileRun) -> dict[str, Any] | None:
    """Train, obeying commands at each step."""
    problem = Problem.of(config, run.seed)
    state = _State(step=0, tuned={}, approved=False)
    variance = problem.loss(problem.val)
    run.define("val_loss", objective=True, baseline=variance, baseline_name="always zero")
    folder = run.resume()
    if folder is not None:
        saved = json.loads((folder / "state.json").read_text())
        problem.weights = saved["weights"]
        state = _State(step=saved["step"], tuned=_still_tuned(saved, config), approved=saved["approved"])
    run.phase("training")
    while state.step < state.setting("steps", config):
        ended = _obey(config, run, problem, state)
        if ended is not None:
            return None if ended in (Verb.PAUSE, Verb.CANCEL) else _result(config, run, problem, state)
        if config.ask_at == state.step and not state.approved:
            _save(config, run, problem, state)
            run.ask("go on?", timeout_s=600)
            return None
        _step(config, run, problem, state)
    return _result(config, run, problem, state)


def use(model: Path, config: FakeConfig, requests: Requests, emit: Emit) -> None:
    """Answer `{"features": [...]}` with `{"prediction": x}`."""
    weights = json.loads((model / "artifacts" / "weights.json").read_text())
    for request in requests:
        features = request.get("features")
        if not isinstance(features, list) or len(features) != len(weights):
            raise InvalidSpec(f"features must be a list of {len(weights)} numbers, got {str(features)[:80]}")
        emit({"prediction": predict(weights, features)})


def inspect(request: dict[str, Any]) -> dict[str, Any]:
    """Look at nothing much."""
    return {"rows": request.get("rows", FakeConfig().rows)}


@dataclass
class _State:
    step: int
    tuned: dict[str, float]
    approved: bool

    def setting(self, name: str, config: FakeConfig) -> float:
        """Return a setting: as tuned, else as configured."""
        return self.tuned.get(name, float(getattr(config, name)))


def _still_tuned(saved: dict[str, Any], config: FakeConfig) -> dict[str, float]:
    """Return the tuned values of a checkpoint, without those whose setting a branch has changed."""
    unchanged = {name for name, value in saved["configured"].items() if value == getattr(config, name)}
    return {name: value for name, value in saved["tuned"].items() if name in unchanged}


def _row(draw: random.Random, truth: Sequence[float], noise: float) -> tuple[list[float], float]:
    features = [draw.gauss(0, 1) for _ in truth]
    return features, predict(truth, features) + draw.gauss(0, noise)


def _step(config: FakeConfig, run: FileRun, problem: Problem, state: _State) -> None:
    _misbehave(config, run, state.step)
    problem.step(state.setting("lr", config))
    state.step += 1
    losses = {"train_loss": problem.loss(problem.train), "val_loss": problem.loss(problem.val)}
    run.metric(state.step, **losses, weight_norm=math.hypot(*problem.weights))
    run.progress(state.step, state.setting("steps", config), message="training")
    if config.checkpoint_every and state.step % config.checkpoint_every == 0:
        _save(config, run, problem, state)
    if config.step_s:
        time.sleep(config.step_s)


def _obey(config: FakeConfig, run: FileRun, problem: Problem, state: _State) -> Verb | None:
    """Follow the waiting commands; return the verb that ends this attempt, if one does."""
    while (command := run.next_command()) is not None:
        if command.verb is Verb.TUNE:
            state.tuned.update({name: float(value) for name, value in command.args.items()})
        if command.verb is Verb.APPROVE:
            state.approved = True
        if command.verb in (Verb.PAUSE, Verb.CANCEL, Verb.CHECKPOINT):
            _save(config, run, problem, state)
        run.applied(command, step=state.step)
        if command.verb in (Verb.PAUSE, Verb.CANCEL, Verb.STOP):
            return command.verb
    return None


def _save(config: FakeConfig, run: FileRun, problem: Problem, state: _State) -> None:
    configured = {tunable.name: getattr(config, tunable.name) for tunable in SERVICE.tunables}
    document = {**vars(state), "configured": configured, "weights": problem.weights}

    def write(folder: Path) -> None:
        (folder / "state.json").write_text(json.dumps(document))

    run.checkpoint(state.step, write, {"val_loss": problem.loss(problem.val)})


def _misbehave(config: FakeConfig, run: FileRun, step: int) -> None:
    if config.crash_at == step:
        raise RuntimeError(f"asked to crash at step {step}")
    if config.exit_at == step and run.attempt == 1:
        run.flush()
        os._exit(9)
    if config.hang_at == step:
        while True:
            time.sleep(60)
    if config.grow_at is not None and step >= config.grow_at:
        _hoard.append(bytearray(os.urandom(1 << 20) * 16))


_hoard: list[bytearray] = []
"""Memory taken on request by `grow_at`; the process ends with it."""


def _result(config: FakeConfig, run: FileRun, problem: Problem, state: _State) -> dict[str, Any]:
    weights = json.dumps(problem.weights)
    run.artifact("weights.json").write_text(weights)
    if config.out_path:
        Path(config.out_path).write_text(weights)
    return {
        "success": True,
        "steps": state.step,
        "modelPath": "artifacts/weights.json",
        "lr": state.setting("lr", config),
    }
