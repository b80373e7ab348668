"""How a training goes: every option of `fit`, frozen. Services map their own config on to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.service import Direction
from tutelage.core.training import PRECISIONS, check_optimizer, check_schedule

Patterns = tuple[str, ...]
"""Shell-style patterns of parameter names, such as `blocks.0.*`; each must match at least one parameter."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Parameters whose names match `pattern` train with a rate and a decay of their own; the first match counts."""

    pattern: str
    lr_scale: float = 1.0
    weight_decay: float | None = None
    """None: the optimizer's, and none on norms, biases and embeddings."""


@dataclass(frozen=True, kw_only=True)
class GrokFast:
    """The gradient filter of Lee et al. 2024 (arXiv 2405.20233): amplifies the slow part of the gradient.

    `ema`: `mu = alpha * mu + (1 - alpha) * g; g += lamb * mu`. `ma`: mu is the mean of the last `window` gradients.
    During the first `warmup_steps` gradients are remembered and left as they are (None: `ma` until its window is
    full, `ema` not at all). Parameters that match `exclude` are left alone.
    """

    kind: Literal["ema", "ma"] = "ema"
    alpha: float = 0.98
    lamb: float = 2.0
    window: int = 100
    warmup_steps: int | None = None
    exclude: Patterns = ()

    def __post_init__(self) -> None:
        _within("grokfast.alpha", self.alpha, 0.0, 1.0)
        _at_least("grokfast.window", self.window, 1)


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Bounds of the gradient that is applied: its Euclidean norm, the size of each value, or both (values first).

    `is_stacked`: the first axis of every parameter holds models that know nothing of one another, such as several
    seeds; the norm of each is bounded by itself.
    """

    norm: float | None = None
    value: float | None = None
    is_stacked: bool = False


@dataclass(frozen=True, kw_only=True)
class NonFinite:
    """What happens when a loss or gradient is NaN or infinite; seen before the step, so the weights stay finite.

    `stop`: a checkpoint of the weights as they are, then the training fails with `non_finite`. `skip`: the step is
    left out, at most `max_skips` times in the whole training, then as `stop`.
    """

    policy: Literal["stop", "skip"] = "stop"
    max_skips: int = 10


@dataclass(frozen=True, kw_only=True)
class EarlyStopping:
    """When to end by itself, judged on the plan's objective.

    `patience`: after `patience` evaluations that did not beat the best by more than `min_delta`. `noise_aware`:
    when the judge's overfitting or divergence finding (H001, H003) has stood for `hold` evaluations (None: the larger
    of 3 and 5 % of the expected ones); blind to noise, and silent for the first 8 evaluations.
    """

    rule: Literal["patience", "noise_aware"] = "patience"
    patience: int = 10
    min_delta: float = 0.0
    hold: int | None = None

    def __post_init__(self) -> None:
        _at_least("early_stopping.patience", self.patience, 1)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that `fit` needs to know beside the task. Steps are optimizer steps; `*_every` 0 means never.

    `optimizer` and `schedule` are documents, `{"name": "adamw", "lr": 3e-4, "weight_decay": 0.1}` and
    `{"name": "cosine", "warmup_steps": 100, "final": 0.1}`; names and keys: `tutelage.core.training`.
    Raises InvalidSpec or UnknownName for a value that cannot be meant.
    """

    max_steps: int
    accumulate: int = 1
    """Batches of one optimizer step, normalised by the valid items of all of them (and of all ranks)."""
    optimizer: Mapping[str, Any] = field(default_factory=lambda: {"name": "adamw", "lr": 3e-4})
    schedule: Mapping[str, Any] = field(default_factory=lambda: {"name": "constant"})
    groups: tuple[Group, ...] = ()
    freeze: Patterns = ()
    grokfast: GrokFast | None = None
    clip: Clip = field(default_factory=Clip)
    non_finite: NonFinite = field(default_factory=NonFinite)
    precision: str = "fp32"
    """`fp32`, `bf16`, `fp16`, `auto` (three timed steps choose bf16 or fp32), `simulate:fp16`, `simulate:bf16`."""
    ema_decay: float | None = None
    """Keep an exponential mean of the weights, and evaluate it."""
    compile: Literal["never", "auto", "always"] = "never"
    """`auto`: once a measured step says that the rest is long enough to repay it; then two runs may differ in bits."""
    objective: str = "val_loss"
    direction: Direction = "minimize"
    early_stopping: EarlyStopping | None = None
    log_every: int = 1
    evaluate_every: int = 0
    checkpoint_every: int = 0
    checkpoint_best: bool = True
    """Also write a checkpoint at each evaluation that is the best so far."""
    sample_every: int = 0
    ratio_every: int = 10
    """Steps between two measurements of `update_ratio`, each of which copies the weights once."""
    item: str = "item"
    """What the loss counts, in the singular: names the throughput, `tokens_per_s`."""
    init_from: Path | None = None
    """A checkpoint folder or `.safetensors` file whose weights a fresh start begins with."""
    init_exclude: Patterns = ()
    """Parameters that are not taken from there, such as a new head."""
    tunable_names: Mapping[str, str] = field(default_factory=dict)
    """The service's names of tunables that differ: `{"learning_rate": "lr"}`."""

    def __post_init__(self) -> None:
        check_optimizer(self.optimizer)
        check_schedule(self.schedule)
        if self.precision not in PRECISIONS:
            raise unknown("precision", self.precision, PRECISIONS)
        for name in ("max_steps", "accumulate", "log_every"):
            _at_least(name, getattr(self, name), 1)
        for name in ("evaluate_every", "checkpoint_every", "sample_every", "ratio_every"):
            _at_least(name, getattr(self, name), 0)
        if self.ema_decay is not None:
            _within("ema_decay", self.ema_decay, 0.0, 1.0)


def _at_least(name: str, value: int, low: int) -> None:
    if value < low:
        raise InvalidSpec(f"{name} must be >= {low}, got {value}")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InvalidSpec(f"{name} must be from {low:g} to {high:g}, got {value:g}")
