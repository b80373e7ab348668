"""Precisions: what each computes in, what simulation counts, what the probe leaves behind."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.training.points import PointsTask, weight_hash
from tests.training.runs import attempt_in, curve
from torch import nn

from tutelage.core.errors import UnknownName
from tutelage.training import Loss, Plan, Updater, create_precision, fit, gradient_error
from tutelage.training.precision import probe

PLAN = Plan(max_steps=6, optimizer={"name": "sgd", "lr": 0.1})


def outputs_in(name: str) -> torch.dtype:
    model = nn.Linear(3, 2)
    with create_precision(name, model).forward():
        return model(torch.ones(1, 3)).dtype


@pytest.mark.parametrize(("name", "kind"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)])
def test_products_are_computed_in_it(name: str, kind: torch.dtype) -> None:
    assert outputs_in(name) == kind


@pytest.mark.parametrize("name", ["bf16", "fp16", "simulate:bf16", "simulate:fp16"])
def test_a_lower_precision_trains_to_about_the_same_loss(name: str, tmp_path) -> None:
    losses = []
    for precision in ("fp32", name):
        task = PointsTask(seed=1, dropout=0.0)
        folder = tmp_path / precision.replace(":", "-")
        with attempt_in(folder) as run:
            fit(task, replace(PLAN, precision=precision), run)
        losses.append(list(curve(folder, "train_loss").values()))
        assert all(param.dtype == torch.float32 for param in task.model.parameters())
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.03)


def scaled_task(factor: float) -> tuple[nn.Linear, Loss]:
    model = nn.Linear(2, 1, bias=False)
    model.weight.data = torch.tensor([[1.0, 1e-9]])
    return model, Loss(total=factor * model(torch.tensor([[1.0, 1.0]])).sum(), num_items=1)


def test_simulation_counts_what_the_type_loses() -> None:
    model, _ = scaled_task(1.0)
    updater = Updater(model, replace(PLAN, precision="simulate:fp16"))
    updater.update([lambda: Loss(total=1e-9 * model(torch.ones(1, 2)).sum(), num_items=1)])
    figures = updater.precision.figures()
    assert figures["overflow_count"] == 0
    assert figures["underflow_share"] > 0.4
    updater.update([lambda: Loss(total=1e6 * model(torch.ones(1, 2)).sum(), num_items=1)])
    assert updater.precision.figures()["overflow_count"] > 0
    assert model.weight[0, 1] != 0, "the exact weights come back"


def test_an_overflow_of_float16_passes_as_the_scale_falls() -> None:
    model, _ = scaled_task(1.0)
    updater = Updater(model, replace(PLAN, precision="fp16"))
    scale = updater.precision.figures()["loss_scale"]
    update = updater.update([lambda: Loss(total=1e3 * model(torch.ones(1, 2)).sum(), num_items=1)])
    assert (update.is_applied, update.is_overflow) == (False, True)
    assert updater.precision.figures()["loss_scale"] == scale / 2
    again = Updater(model, replace(PLAN, precision="fp16"))
    again.load_state_dict(updater.state_dict())
    assert again.precision.figures()["loss_scale"] == scale / 2


def test_the_probe_leaves_weights_buffers_and_random_numbers_as_they_were() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout())
    torch.manual_seed(1)
    before, expected = weight_hash(model), torch.rand(3)
    torch.manual_seed(1)
    assert probe(model, lambda: model(torch.ones(8, 4)).sum()) in ("bf16", "fp32")
    assert weight_hash(model) == before
    assert torch.equal(torch.rand(3), expected)
    assert all(param.grad is None for param in model.parameters())


def test_what_the_probe_chose_stays_chosen(tmp_path) -> None:
    plan = replace(PLAN, precision="auto", checkpoint_every=3)
    with attempt_in(tmp_path) as run:
        fit(PointsTask(seed=1), plan, run)
    with attempt_in(tmp_path) as run:
        fit(PointsTask(seed=1), replace(plan, max_steps=9), run)
    assert (tmp_path / "log.txt").read_text().count("three timed steps chose") == 1


def test_an_unknown_precision_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'bf16'"):
        Plan(max_steps=1, precision="bf61")


def test_the_gradient_check_finds_a_wrong_gradient() -> None:
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value):
            return value.square()

        @staticmethod
        def backward(ctx, gradient):
            return 1.9 * gradient

    value = torch.randn(4, dtype=torch.float64, requires_grad=True)
    assert gradient_error(lambda: value.square().sum(), [value]) < 1e-7
    assert gradient_error(lambda: (Wrong.apply(value) * value.detach()).sum(), [value]) > 0.01
