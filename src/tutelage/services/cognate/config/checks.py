"""What settings must hold to together; each function raises InvalidSpec or UnknownName."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tutelage.core.errors import InvalidSpec, TutelageError, unknown
from tutelage.core.training import SCHEDULES

if TYPE_CHECKING:
    from tutelage.services.cognate.config.document import CognateConfig

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
OWN_SCHEDULES = ("constant", "linear", "cosine", "inverse_sqrt", "polynomial")
"""Schedules that need nothing beside warmup and final value."""


def choice(kind: str, name: str, allowed: Iterable[str]) -> str:
    """Return the allowed name that `name` is, whatever its case. Raises UnknownName."""
    names = {item.lower(): item for item in allowed}
    if name.lower() not in names:
        raise unknown(kind, name, names.values())
    return names[name.lower()]


def check_shape(config: CognateConfig) -> None:
    """Widths divide, segments fit."""
    if config.d_model % (2 * config.n_heads):
        raise InvalidSpec(
            f"d_model / n_heads must be an even number, got {config.d_model} / {config.n_heads}",
            hint="as in 216 / 4 = 54",
        )
    if config.ltm_enabled and config.d_mem % config.n_heads:
        raise InvalidSpec(f"d_mem must be a multiple of n_heads, got {config.d_mem} and {config.n_heads}")
    if config.ltm_enabled and config.mem_topk > config.mem_capacity:
        raise InvalidSpec(f"mem_topk is {config.mem_topk}, more than mem_capacity {config.mem_capacity}")
    if config.segment_len > config.max_seq_len:
        raise InvalidSpec(
            f"segment_len is {config.segment_len}, more than max_seq_len {config.max_seq_len}",
            hint="a segment is a part of a document",
        )


def check_steps(config: CognateConfig) -> None:
    """Ponder steps suffice for the blocks, and repeat only where tokens halt."""
    if not config.act_enabled:
        if config.recur_last:
            raise InvalidSpec("recur_last repeats blocks until tokens halt, and act_enabled is false", hint="set one")
        return
    if config.recur_last > config.n_layers:
        raise InvalidSpec(f"recur_last is {config.recur_last}, more than n_layers {config.n_layers}")
    if not config.recur_last and config.max_act_steps < config.n_layers:
        raise InvalidSpec(
            f"max_act_steps is {config.max_act_steps}, fewer than the {config.n_layers} blocks, which are the steps",
            hint="blocks beyond it would never be used: raise it, or set recur_last",
        )


def check_schedule_name(config: CognateConfig) -> None:
    """The schedule is one that these settings describe."""
    if config.lr_schedule not in OWN_SCHEDULES:
        raise unknown("schedule", config.lr_schedule, OWN_SCHEDULES)
    assert set(OWN_SCHEDULES) <= set(SCHEDULES), "the training layer has them"


def check_sources(config: CognateConfig) -> None:
    """Folders of text and the source `text` come together."""
    if config.text_dirs and "text" not in config.dataset_sources:
        raise InvalidSpec("text_dirs is given, but dataset_sources lacks 'text'", hint="add it, or leave text_dirs out")
    if "text" in config.dataset_sources and not config.text_dirs:
        raise InvalidSpec("the source 'text' needs text_dirs", hint='"text_dirs": ["corpus"]')


def check_models(config: CognateConfig) -> None:
    """Names are fit for folders; every variant is a valid config by itself."""
    for name in config.names:
        if not NAME.fullmatch(name):
            raise InvalidSpec(f"a model's name has letters, digits, '_', '.' and '-', got {name!r}")
    if len(set(config.names)) != len(config.names):
        raise InvalidSpec(f"model_names are not all different: {', '.join(config.names)}")
    for name, changes in config.variants.items():
        if config.model_names and name not in config.model_names:
            raise unknown("model in variants", name, config.model_names)
        for key in ("model_names", "variants", "preset", "focus"):
            if key in changes:
                raise InvalidSpec(f"variant {name!r} cannot set {key!r}", hint="it belongs to the whole operation")
        try:
            config.variant(name)
        except TutelageError as error:
            raise InvalidSpec(f"variant {name!r}: {error.message}", hint=error.hint) from error
