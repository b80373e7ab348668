"""A service on the training layer keeps the contract of every service, and starts without torch."""

from __future__ import annotations

import os

import pytest
from tests.training.conftest import ROOT

from tutelage.core.training import VOLATILE
from tutelage.testing.contracts import ServiceContract


@pytest.mark.slow  # each starts workers that import torch
@pytest.mark.timeout(600)
class TestDigits(ServiceContract):
    service = "tests.training.digits:SERVICE"
    config = {"max_steps": 60, "checkpoint_every": 10, "pause_s": 0.01}
    volatile = VOLATILE

    @pytest.fixture(autouse=True)
    def _found_by_workers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT / "src"), str(ROOT))))
