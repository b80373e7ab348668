"""From a config to the training's plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tutelage.services.codegen.batches import Curriculum
from tutelage.services.codegen.config import TrainingConfig
from tutelage.training import Clip, EarlyStopping, Plan

TUNABLE_NAMES = {"learning_rate": "lr"}
"""Names of ours -> the training layer's."""


def training_plan(config: TrainingConfig) -> Plan:
    """Return how the model is trained."""
    return Plan(
        max_steps=config.max_steps,
        accumulate=config.gradient_accumulation_steps,
        optimizer={
            "name": "adamw",
            "lr": config.learning_rate,
            "betas": list(config.adam_betas),
            "weight_decay": config.weight_decay,
        },
        schedule=_schedule(config),
        clip=Clip(norm=config.gradient_clip),
        precision=config.precision,
        compile=config.compile,
        objective="val_loss",
        early_stopping=EarlyStopping(patience=config.patience) if config.patience else None,
        log_every=config.log_steps,
        evaluate_every=config.eval_steps,
        checkpoint_every=config.save_steps,
        sample_every=config.sample_steps,
        item="token",
        init_from=Path(config.init_from_path) if config.init_from_path else None,
        tunable_names=TUNABLE_NAMES,
    )


def curriculum(config: TrainingConfig) -> Curriculum:
    """Return how soon every length is drawn."""
    num_batches = config.max_steps * config.gradient_accumulation_steps
    return Curriculum(num_batches=round(config.curriculum_share * num_batches))


def _schedule(config: TrainingConfig) -> dict[str, Any]:
    schedule: dict[str, Any] = {"name": config.schedule, "warmup_steps": config.warmup_steps}
    if config.schedule in ("cosine", "linear", "warmup_stable_decay"):
        schedule["final"] = config.final_lr_ratio
    if config.schedule == "warmup_stable_decay":
        schedule["decay_steps"] = max(1, round(config.decay_share * config.max_steps))
    return schedule
