"""The random state of a process: seeded, captured, restored, and kept from being touched."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn


def seed_of(*parts: int) -> int:
    """Return one seed made of several numbers, such as a seed, a rank and a step; 32 bits."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch, on every device."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def capture() -> dict[str, Any]:
    """Return the random state of Python, NumPy, torch and its GPUs, in types that load with `weights_only`."""
    version, numbers, gauss = random.getstate()
    drawn = np.random.get_state(legacy=False)
    return {
        "python": {"version": version, "numbers": list(numbers), "gauss": gauss},
        "numpy": {
            "kind": drawn["bit_generator"],
            "keys": torch.from_numpy(drawn["state"]["key"].astype(np.int64)),
            "position": drawn["state"]["pos"],
            "has_gauss": drawn["has_gauss"],
            "cached": drawn["gauss"],
        },
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore(state: Mapping[str, Any]) -> None:
    """Bring back what `capture` returned; that of GPUs where as many are here."""
    python, numpy = state["python"], state["numpy"]
    random.setstate((python["version"], tuple(python["numbers"]), python["gauss"]))
    keys = numpy["keys"].numpy().astype(np.uint32)
    np.random.set_state((numpy["kind"], keys, numpy["position"], numpy["has_gauss"], numpy["cached"]))
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available() and torch.cuda.device_count() == len(state["cuda"]):
        torch.cuda.set_rng_state_all(state["cuda"])


@contextmanager
def preserved() -> Iterator[None]:
    """Leave the random state as it was, whatever is drawn inside."""
    state = capture()
    try:
        yield
    finally:
        restore(state)


@contextmanager
def same_afterwards(model: nn.Module) -> Iterator[None]:
    """Leave the model's weights and buffers and the random state as they were."""
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with preserved():
        yield
    model.load_state_dict(before)
