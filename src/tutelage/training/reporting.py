"""What each step tells: the metrics of `tutelage.core.training`, in their own names."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping

import torch

from tutelage.training.updater import Update


def step_metrics(
    update: Update, *, lr: float, duration_s: float, item: str, skipped: int, figures: Mapping[str, float]
) -> dict[str, float]:
    """Return the metrics of one step; `figures` are the precision's own."""
    optional = {"filtered_grad_norm": update.filtered_grad_norm, "update_ratio": update.update_ratio}
    return {
        "train_loss": update.loss,
        **{f"train_{name}": value for name, value in update.means.items()},
        "lr": lr,
        "grad_norm": update.grad_norm,
        **{name: value for name, value in optional.items() if value is not None},
        "step_s": duration_s,
        f"{item}s_per_s": update.num_items / max(duration_s, 1e-9),
        "peak_memory_mib": peak_memory_mib(),
        **({"skipped_steps": skipped} if skipped else {}),
        **figures,
    }


def peak_memory_mib() -> float:
    """Return the most memory that torch has held on the GPU, where there is one, else the process on the machine."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
