"""One optimizer step: exact means over parts of any size, the order of what happens, and what is not finite."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.training.points import NUM_ROWS, PointsTask, weight_hash
from torch import Tensor, nn
from torch.nn import functional as F

from tutelage.training import Clip, GrokFast, Loss, Plan, Updater, gradient_norms

PLAN = Plan(max_steps=10, optimizer={"name": "sgd", "lr": 0.1})


def task() -> PointsTask:
    return PointsTask(seed=2, dropout=0.0)


def parts(of: PointsTask, sizes: list[int]) -> list[Any]:
    """Return the losses of consecutive slices of the rows."""
    ends = torch.tensor(sizes).cumsum(0).tolist()
    slices = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
    return [lambda rows=rows: of.loss((of.features[rows], of.targets[rows])) for rows in slices]


def updated(sizes: list[int], plan: Plan = PLAN) -> tuple[list[Tensor], Any]:
    made = task()
    updater = Updater(made.model, plan)
    updater.set_rates(lr=0.1)
    update = updater.update(parts(made, sizes))
    return [param.detach() for param in made.model.parameters()], update


@pytest.mark.parametrize("sizes", [[32, 32, 32], [1, 95], [50, 3, 43], [96]])
def test_any_partition_of_the_rows_gives_the_same_step(sizes: list[int]) -> None:
    whole, reference = updated([NUM_ROWS])
    got, update = updated(sizes)
    torch.testing.assert_close(got, whole, rtol=1e-5, atol=1e-6)
    assert update.num_items == NUM_ROWS
    assert update.loss == pytest.approx(reference.loss, rel=1e-6)
    assert update.means == pytest.approx(reference.means)


def test_a_step_is_that_of_torch_on_the_mean_loss() -> None:
    made = task()
    F.cross_entropy(made.model(made.features[:NUM_ROWS]), made.targets[:NUM_ROWS]).backward()
    norm = math.sqrt(sum(float(param.grad.square().sum()) for param in made.model.parameters()))
    with torch.no_grad():
        for param in made.model.parameters():
            param -= 0.1 * param.grad
    got, update = updated([NUM_ROWS])
    torch.testing.assert_close(got, list(made.model.parameters()), rtol=1e-5, atol=1e-6)
    assert update.grad_norm == pytest.approx(norm, rel=1e-5)


def change(plan: Plan) -> tuple[float, Any]:
    """Return the norm of what one step of plain descent with rate 0.1 changes, over the rate: that of the gradient."""
    before = [param.detach().clone() for param in task().model.parameters()]
    after, update = updated([NUM_ROWS], plan)
    squares = [float((a - b).square().sum()) for a, b in zip(after, before, strict=True)]
    return math.sqrt(sum(squares)) / 0.1, update


def test_the_norm_is_bounded_and_told_as_it_came() -> None:
    applied, update = change(replace(PLAN, clip=Clip(norm=0.01)))
    assert applied == pytest.approx(0.01, rel=1e-3)
    assert update.grad_norm > 0.1


def test_clipping_comes_after_the_filter_so_that_what_is_applied_is_bounded() -> None:
    applied, update = change(replace(PLAN, clip=Clip(norm=0.01), grokfast=GrokFast(lamb=4.0)))
    assert applied == pytest.approx(0.01, rel=1e-3)
    assert update.filtered_grad_norm == pytest.approx(5 * update.grad_norm, rel=1e-4)


def test_models_that_are_stacked_are_bounded_each_by_its_own_norm() -> None:
    model = nn.Module()
    model.weight = nn.Parameter(torch.zeros(2, 1, 3))
    model.bias = nn.Parameter(torch.zeros(2, 3))
    plan = Plan(max_steps=1, optimizer={"name": "sgd", "lr": 1.0}, clip=Clip(norm=1.0, is_stacked=True))
    small, large = torch.full((6,), 0.1), torch.full((6,), 10.0)
    pulls = torch.stack([small, large])
    update = Updater(model, plan).update(
        [lambda: Loss(total=(torch.cat((model.weight[:, 0], model.bias), 1) * pulls).sum(), num_items=1)]
    )
    moved = -torch.cat((model.weight[:, 0], model.bias), 1)
    torch.testing.assert_close(moved[0], small)
    torch.testing.assert_close(moved[1], large / large.norm())
    assert update.grad_norm == pytest.approx(float(pulls.norm()))


def test_values_are_bounded_each() -> None:
    before = [param.detach().clone() for param in task().model.parameters()]
    after, _ = updated([NUM_ROWS], replace(PLAN, clip=Clip(value=0.001)))
    assert max(float((a - b).abs().max()) for a, b in zip(after, before, strict=True)) <= 0.1 * 0.001 + 1e-7


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_what_is_not_finite_changes_nothing_at_all(where: str) -> None:
    made = task()
    plan = replace(PLAN, optimizer={"name": "adamw", "lr": 0.1}, grokfast=GrokFast(), ema_decay=0.9)
    updater = Updater(made.model, plan)
    updater.update(parts(made, [NUM_ROWS]))
    before = (weight_hash(made.model), str(updater.state_dict()), str(updater.average.state_dict()))

    def bad() -> Loss:
        loss = parts(made, [NUM_ROWS])[0]()
        if where == "loss":
            return replace(loss, total=loss.total * math.nan)
        weight = made.model[0].weight
        return replace(loss, total=loss.total + torch.sqrt((weight - weight.detach()).abs()).sum())

    update = updater.update([bad])
    assert not update.is_applied
    assert not update.is_overflow
    assert (weight_hash(made.model), str(updater.state_dict()), str(updater.average.state_dict())) == before
    assert updater.update(parts(made, [NUM_ROWS])).is_applied


def test_nothing_valid_gives_no_gradient() -> None:
    made = task()
    updater = Updater(made.model, PLAN)
    before = weight_hash(made.model)
    update = updater.update([lambda: Loss(total=made.model(made.features).sum() * 0, num_items=0)])
    assert (update.loss, update.grad_norm, update.num_items) == (0, 0, 0)
    assert weight_hash(made.model) == before


def test_the_ratio_is_the_change_over_the_weights() -> None:
    made = task()
    updater = Updater(made.model, PLAN)
    before = torch.cat([param.detach().flatten() for param in made.model.parameters()])
    update = updater.update(parts(made, [NUM_ROWS]), measure_ratio=True)
    after = torch.cat([param.detach().flatten() for param in made.model.parameters()])
    assert update.update_ratio == pytest.approx(float((after - before).norm() / before.norm()), rel=1e-4)


def test_frozen_parameters_stay_and_the_others_move() -> None:
    made = task()
    before = {name: param.detach().clone() for name, param in made.model.named_parameters()}
    Updater(made.model, replace(PLAN, freeze=("0.*",))).update(parts(made, [NUM_ROWS]))
    moved = {name for name, param in made.model.named_parameters() if not torch.equal(param, before[name])}
    assert moved == {"1.weight", "1.bias", "4.weight", "4.bias"}


def test_the_averaged_weights_are_their_formula() -> None:
    made = task()
    updater = Updater(made.model, replace(PLAN, ema_decay=0.3))
    mean = made.model[0].weight.detach().clone()
    for step in range(1, 8):
        updater.update(parts(made, [NUM_ROWS]))
        decay = min(0.3, (1 + step) / (10 + step))
        mean = decay * mean + (1 - decay) * made.model[0].weight.detach()
    live = made.model[0].weight.detach().clone()
    with updater.average.applied():
        torch.testing.assert_close(made.model[0].weight.detach(), mean)
    assert torch.equal(made.model[0].weight, live)


def test_several_steps_on_one_rollout_need_no_fit() -> None:
    made = task()
    updater = Updater(made.model, PLAN)
    for _ in range(4):
        for rows in torch.randperm(NUM_ROWS).split(24):
            update = updater.update([lambda rows=rows: made.loss((made.features[rows], made.targets[rows]))])
    assert update.loss < 1.2


def test_norms_by_group_add_up_to_the_whole() -> None:
    made = task()
    made.loss((made.features, made.targets)).total.backward()
    norms = gradient_norms(made.model)
    assert set(norms) == {"0", "1", "4"}
    whole = nn.utils.get_total_norm([param.grad for param in made.model.parameters()])
    assert math.hypot(*norms.values()) == pytest.approx(float(whole))
