"""What `tutelage.training.fit` reports and lets be tuned, for a service to splice into its declaration."""

from __future__ import annotations

from collections.abc import Mapping

from tutelage.core.service import Metric, Role, Tunable

VOLATILE = frozenset({"step_s", "items_per_s", "tokens_per_s", "rows_per_s", "peak_memory_mib"})
"""Metrics that measure time or memory: two equal runs differ in them."""


def training_metrics(*, item: str = "item") -> tuple[Metric, ...]:
    """Return the metrics that `fit` reports beside those of the task's own `evaluate`; `item` as in the plan."""
    return (
        Metric(name="train_loss", direction="minimize", about=f"mean loss over the {item}s of one optimizer step"),
        Metric(name="lr", role=Role.LEARNING_RATE, about="learning rate of the step: base rate times schedule"),
        Metric(
            name="grad_norm",
            role=Role.GRADIENT_NORM,
            about="Euclidean norm of the whole gradient, before the gradient filter and before clipping",
        ),
        Metric(name="filtered_grad_norm", about="the same after the GrokFast filter, before clipping"),
        Metric(
            name="update_ratio",
            role=Role.UPDATE_RATIO,
            about="Euclidean norm of the step's change of all weights over that of the weights",
        ),
        Metric(
            name=f"{item}s_per_s", role=Role.THROUGHPUT, unit="1/s", about=f"{item}s trained on a second, in this step"
        ),
        Metric(name="step_s", role=Role.STEP_TIME, unit="s", about="duration of one optimizer step, evaluation apart"),
        Metric(name="peak_memory_mib", unit="MiB", about="most memory the process has held so far; on a GPU, its own"),
        Metric(name="skipped_steps", about="steps left out so far because a loss or gradient was not finite"),
        Metric(name="loss_scale", about="fp16: the factor on the loss that keeps small gradients above zero"),
        Metric(name="overflow_count", about="simulated precision: finite values that became infinite in this step"),
        Metric(name="underflow_share", about="simulated precision: share of non-zero values that became zero"),
    )


TUNABLES: tuple[Tunable, ...] = (
    Tunable("lr", float, 0.0, 1e3, about="base learning rate; the schedule multiplies it"),
    Tunable("weight_decay", float, 0.0, 1e3, about="weight decay of the groups that have any"),
    Tunable("max_steps", int, 1, 1_000_000_000, about="optimizer steps of the whole training"),
    Tunable("patience", int, 1, 1_000_000, about="evaluations without improvement before it stops"),
    Tunable("grokfast_lamb", float, 0.0, 1e3, about="how much the slow part of the gradient is amplified"),
    Tunable("grokfast_alpha", float, 0.0, 1.0, about="share of the old mean that GrokFast's mean keeps each step"),
)


def training_tunables(names: Mapping[str, str] | None = None) -> tuple[Tunable, ...]:
    """Return what `fit` lets be tuned, under the service's own names: {its name: name here} for those that differ."""
    own = {ours: theirs for theirs, ours in (names or {}).items()}
    return tuple(
        Tunable(own.get(item.name, item.name), item.type, item.low, item.high, about=item.about) for item in TUNABLES
    )
