"""On an accelerator: the same training, and checkpoints that go over to a CPU and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.points import PointsTask
from tests.training.runs import attempt_in, curve
from torch import Tensor

from tutelage.training import GrokFast, Plan, fit

PLAN = Plan(
    max_steps=12,
    accumulate=2,
    optimizer={"name": "adamw", "lr": 1e-2},
    grokfast=GrokFast(),
    ema_decay=0.9,
    evaluate_every=4,
    checkpoint_every=4,
)


class PlacedTask(PointsTask):
    """Trains on a device; without dropout, whose numbers differ between devices."""

    def __init__(self, device: str) -> None:
        super().__init__(seed=1, dropout=0.0)
        self.model.to(device)
        self.features, self.targets = self.features.to(device), self.targets.to(device)

    def batch(self, position: int) -> tuple[Tensor, Tensor]:
        draw = torch.Generator().manual_seed(position)
        rows = torch.randint(96, (8,), generator=draw).to(self.features.device)
        return self.features[rows], self.targets[rows]


def train(folder: Path, plan: Plan, device: str) -> None:
    with attempt_in(folder) as run:
        fit(PlacedTask(device), plan, run)


@pytest.mark.needs_gpu
@pytest.mark.parametrize(("first", "then"), [("cuda", "cpu"), ("cpu", "cuda"), ("cuda", "cuda")])
def test_a_checkpoint_goes_on_on_another_device(first: str, then: str, tmp_path: Path) -> None:
    train(tmp_path / "calm", PLAN, "cpu")
    train(tmp_path / "moved", replace(PLAN, max_steps=6), first)
    train(tmp_path / "moved", PLAN, then)
    assert curve(tmp_path / "moved", "train_loss") == pytest.approx(curve(tmp_path / "calm", "train_loss"), rel=1e-3)


@pytest.mark.needs_gpu
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_lower_precisions_train_there(precision: str, tmp_path: Path) -> None:
    train(tmp_path / "whole", PLAN, "cuda")
    train(tmp_path / "lower", replace(PLAN, precision=precision), "cuda")
    whole = list(curve(tmp_path / "whole", "train_loss").values())
    assert list(curve(tmp_path / "lower", "train_loss").values()) == pytest.approx(whole, rel=0.05)
