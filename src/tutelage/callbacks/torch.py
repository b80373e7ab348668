"""PyTorch: `keep(run, step, model, optimizer)` and `go_on(run, model, optimizer)` in a loop of your own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tutelage.attach.protocol import ScriptRun

STATE = "state.pt"


def keep(
    run: ScriptRun, step: int, *parts: Any, metrics: Mapping[str, float] | None = None, extra: Any = None
) -> Path | None:
    """Checkpoint the parts that have a `state_dict` (model, optimizer, schedule), the random state and `extra`."""
    state = {"parts": [part.state_dict() for part in parts], "rng": torch.get_rng_state(), "extra": extra}

    def save(folder: Path) -> None:
        torch.save(state, folder / STATE)

    return run.checkpoint(step, save, metrics)


def go_on(run: ScriptRun, *parts: Any) -> tuple[int, Any]:
    """Load the newest checkpoint into the parts; return (its step, `extra`), or (0, None) for a fresh start."""
    folder = run.resume()
    if folder is None:
        return 0, None
    state = torch.load(folder / STATE, weights_only=True)
    for part, saved in zip(parts, state["parts"], strict=True):
        part.load_state_dict(saved)
    torch.set_rng_state(state["rng"])
    return int(folder.name), state["extra"]
