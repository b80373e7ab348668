"""From a config to the model's settings and the training's plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tutelage.services.cognate.config import CognateConfig
from tutelage.services.cognate.model.settings import ActSettings, MemorySettings, ModelSettings
from tutelage.training import Clip, EarlyStopping, GrokFast, Plan

TUNABLE_NAMES = {"learning_rate": "lr"}
"""Names of ours -> the training layer's."""


def model_settings(config: CognateConfig) -> ModelSettings:
    """Return what shapes the model."""
    act = ActSettings(
        threshold=min(config.act_threshold, 1 - config.act_epsilon),
        max_steps=config.max_act_steps if config.recur_last else config.n_layers,
        recur_last=config.recur_last,
    )
    memory = MemorySettings(
        d_mem=config.d_mem,
        capacity=config.mem_capacity,
        top_k=config.mem_topk,
        write_rule=config.mem_write_rule,
        decay=config.mem_decay,
    )
    return ModelSettings(
        vocab_size=config.vocab_size,
        d_model=config.d_model,
        n_layers=config.n_layers,
        n_heads=config.n_heads,
        d_ffn=config.d_ffn or 4 * config.d_model,
        segment_len=config.segment_len,
        dropout=config.dropout,
        tie_embeddings=config.tie_embeddings,
        act=act if config.act_enabled else None,
        memory=memory if config.ltm_enabled else None,
    )


def training_plan(config: CognateConfig) -> Plan:
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
        freeze=tuple(config.freeze),
        grokfast=_grokfast(config),
        clip=Clip(norm=config.gradient_clip),
        precision=config.precision,
        compile=config.compile,
        objective="val_loss",
        early_stopping=EarlyStopping(patience=config.patience) if config.patience else None,
        evaluate_every=config.eval_steps,
        checkpoint_every=config.save_steps,
        sample_every=config.sample_steps,
        item="token",
        init_from=Path(config.init_from_path) if config.init_from_path else None,
        tunable_names=TUNABLE_NAMES,
    )


def _schedule(config: CognateConfig) -> dict[str, Any]:
    schedule: dict[str, Any] = {"name": config.lr_schedule, "warmup_steps": config.warmup_steps}
    if config.lr_schedule in ("cosine", "linear", "polynomial"):
        schedule["final"] = config.min_lr_ratio
    return schedule


def _grokfast(config: CognateConfig) -> GrokFast | None:
    if not config.grokfast_enabled:
        return None
    exclude = ("halting.*",) if config.act_enabled else ()
    return GrokFast(alpha=config.grokfast_alpha, lamb=config.grokfast_lamb, exclude=exclude)
