"""A small classification that trains in milliseconds, for the tests of the training layer; also as a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from tutelage.core.ports import Run
from tutelage.core.service import Metric, Service
from tutelage.core.spec import Document
from tutelage.core.training import training_metrics, training_tunables

SERVICE = Service(
    name="digits",
    about="a perceptron on drawn points, for tests",
    unit="step",
    config="tests.training.digits:DigitsConfig",
    train="tests.training.digits:train",
    supports=frozenset({"checkpoint", "branch", "tune"}),
    objective="val_loss",
    metrics=(
        *training_metrics(item="row"),
        Metric(name="train_accuracy", direction="maximize", about="share of rows that are right"),
        Metric(name="val_loss", direction="minimize", pairs="train_loss", about="mean loss on rows held out"),
    ),
    tunables=training_tunables({"learning_rate": "lr"}),
)


class DigitsConfig(Document):
    """What a test asks for."""

    max_steps: int = Field(40, ge=1, description="optimizer steps")
    learning_rate: float = Field(1e-2, ge=0, description="learning rate")
    checkpoint_every: int = Field(5, ge=0, description="steps between checkpoints")
    pause_s: float = Field(0.0, ge=0, description="rest in each batch, seconds")


def train(config: DigitsConfig, run: Run) -> Mapping[str, Any] | None:
    """Train with all that a checkpoint has to hold: dropout, accumulation, averaged weights, GrokFast."""
    from tests.training.points import PointsTask, weight_hash  # torch is not there when the service is declared

    from tutelage.training import GrokFast, Plan, fit

    task = PointsTask(seed=run.seed, pause_s=config.pause_s)
    plan = Plan(
        max_steps=config.max_steps,
        accumulate=3,
        optimizer={"name": "adamw", "lr": config.learning_rate, "weight_decay": 0.1},
        schedule={"name": "cosine", "warmup_steps": 5},
        grokfast=GrokFast(),
        ema_decay=0.9,
        evaluate_every=4,
        checkpoint_every=config.checkpoint_every,
        checkpoint_best=False,
        item="row",
        tunable_names={"learning_rate": "lr"},
    )
    outcome = fit(task, plan, run)
    if outcome.is_left:
        return None
    return {"steps": outcome.steps, "ended_by": outcome.ended_by, "weights": weight_hash(task.model)}
