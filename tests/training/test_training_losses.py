"""Losses are sums with counts; the chunked one is the plain one, in value and gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.training import Loss, create_loss, gradient_error, linear_cross_entropy, linear_cross_entropy_by_row


def inputs(kind: torch.dtype = torch.float32, rows: int = 37) -> tuple[Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    hidden = torch.randn(rows, 8, generator=draw).to(kind).requires_grad_()
    weight = torch.randn(50, 8, generator=draw).to(kind).requires_grad_()
    targets = torch.randint(50, (rows,), generator=draw)
    targets[::5] = -100
    return hidden, weight, targets


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("chunk", [1, 10, 256])
def test_chunked_cross_entropy_is_torch_s_in_value_and_gradient(smoothing: float, chunk: int) -> None:
    hidden, weight, targets = inputs()
    ours = linear_cross_entropy(hidden, weight, targets, label_smoothing=smoothing, chunk=chunk)
    got = torch.autograd.grad(3 * ours, [hidden, weight])
    theirs = F.cross_entropy(hidden @ weight.T, targets, label_smoothing=smoothing, reduction="sum")
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(got, torch.autograd.grad(3 * theirs, [hidden, weight]), rtol=1e-4, atol=1e-4)


def test_its_gradient_is_that_of_finite_differences() -> None:
    hidden, weight, targets = inputs(torch.float64)
    assert gradient_error(lambda: linear_cross_entropy(hidden, weight, targets, chunk=7), [hidden, weight]) < 1e-6


def test_it_takes_rows_of_any_shape_and_computes_in_the_autocast_type() -> None:
    hidden, weight, targets = inputs(rows=40)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = linear_cross_entropy(hidden.reshape(4, 10, 8), weight, targets.reshape(4, 10))
    exact = linear_cross_entropy(hidden, weight, targets)
    assert got.dtype == torch.float32
    assert got.item() != exact.item()
    assert got.item() == pytest.approx(exact.item(), rel=0.02)
    assert torch.autograd.grad(got, weight)[0].dtype == torch.float32


def test_it_needs_only_the_gradients_that_are_asked_for() -> None:
    hidden, weight, targets = inputs()
    frozen = linear_cross_entropy(hidden, weight.detach(), targets)
    assert torch.autograd.grad(frozen, hidden)[0].shape == hidden.shape
    with torch.no_grad():
        assert linear_cross_entropy(hidden, weight, targets).item() == pytest.approx(frozen.item())


def test_each_row_s_own_loss_comes_without_gradient_and_is_zero_where_ignored() -> None:
    hidden, weight, targets = inputs(rows=40)
    total, losses = linear_cross_entropy_by_row(hidden.reshape(4, 10, 8), weight, targets.reshape(4, 10), chunk=7)
    expected = F.cross_entropy(hidden @ weight.T, targets, reduction="none").reshape(4, 10)
    torch.testing.assert_close(losses, expected.detach(), rtol=1e-4, atol=1e-4)
    assert losses.sum().item() == pytest.approx(total.item(), rel=1e-5)
    assert total.requires_grad
    assert not losses.requires_grad
    nothing, zeros = linear_cross_entropy_by_row(hidden * float("nan"), weight, torch.full_like(targets, -100))
    assert nothing.item() == 0
    assert torch.equal(zeros, torch.zeros(40))


def test_nothing_valid_is_zero() -> None:
    hidden, weight, targets = inputs()
    total = linear_cross_entropy(hidden, weight, torch.full_like(targets, -100))
    assert total.item() == 0
    assert torch.equal(torch.autograd.grad(total, weight)[0], torch.zeros_like(weight))


LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
CLASSES = torch.tensor([0, -100, 2])


@pytest.mark.parametrize(
    ("config", "total", "num_items"),
    [
        ({"name": "cross_entropy"}, 0.169846 + 1.098612, 2),
        ({"name": "focal", "gamma": 0}, 0.169846 + 1.098612, 2),
        ({"name": "focal", "gamma": 2}, (1 - 0.843795) ** 2 * 0.169846 + (2 / 3) ** 2 * 1.098612, 2),
    ],
)
def test_losses_of_classes_count_valid_items(config: dict[str, float], total: float, num_items: int) -> None:
    found = create_loss(config)(LOGITS, CLASSES)
    assert found.num_items == num_items
    assert found.total.item() == pytest.approx(total, abs=1e-5)
    assert found.mean == pytest.approx(total / num_items, abs=1e-5)


@pytest.mark.parametrize(("name", "total"), [("mse", 0.25 + 9), ("huber", 0.125 + 2.5)])
def test_losses_of_numbers_count_values(name: str, total: float) -> None:
    found = create_loss({"name": name})(torch.tensor([0.5, 3.0]), torch.tensor([0.0, 0.0]))
    assert (found.total.item(), found.num_items) == (pytest.approx(total), 2)


def test_shapes_are_not_broadcast() -> None:
    with pytest.raises(InvalidSpec, match=r"\(3, 1\) and \(3,\)"):
        create_loss({"name": "mse"})(torch.zeros(3, 1), torch.zeros(3))


def absolute(outputs: Tensor, targets: Tensor, *, weight: float = 1.0) -> Loss:
    return Loss(total=weight * (outputs - targets).abs().sum(), num_items=targets.numel())


def test_a_loss_of_ones_own_is_named_by_its_path() -> None:
    own = create_loss({"name": "tests.training.test_training_losses:absolute", "weight": 2.0})
    assert own(torch.tensor([1.0]), torch.tensor([3.0])).total.item() == 4


@pytest.mark.parametrize("name", ["cross_entrpy", "tests.training.test_training_losses:nothing", "no.such:thing"])
def test_an_unknown_loss_is_answered_with_the_list(name: str) -> None:
    with pytest.raises(UnknownName, match="unknown loss"):
        create_loss({"name": name})
