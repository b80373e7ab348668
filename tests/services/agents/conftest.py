"""Without torch only the config can be tested; `tests/training/test_torch_is_there.py` says so, and fails in CI."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

collect_ignore_glob = [] if find_spec("torch") else ["test_agents_*.py"]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Small tensors are slower on several threads, and the machine is shared."""
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
