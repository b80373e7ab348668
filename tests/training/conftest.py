"""Without torch there is nothing to test here; `test_torch_is_there` says so, and fails in CI."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

collect_ignore_glob = [] if find_spec("torch") else ["test_training_*.py"]

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Small tensors are slower on several threads, and the machine is shared."""
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
