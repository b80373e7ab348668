"""The gradient filter against a plain reference, parameter by parameter."""

from __future__ import annotations

from collections import deque

import pytest
import torch
from torch import Tensor, nn

from tutelage.training import GradientFilter, GrokFast

STEPS = 40


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 2))


def gradients(step: int, like: nn.Module) -> list[Tensor]:
    draw = torch.Generator().manual_seed(step)
    return [torch.randn(param.shape, generator=draw) for param in like.parameters()]


def filtered(options: GrokFast, steps: int = STEPS) -> list[list[Tensor]]:
    """Return what becomes of the gradients of each step."""
    net = model()
    gradient_filter = GradientFilter(net.named_parameters(), options, excluded=set())
    found = []
    for step in range(steps):
        for param, grad in zip(net.parameters(), gradients(step, net), strict=True):
            param.grad = grad
        gradient_filter.apply()
        found.append([param.grad.clone() for param in net.parameters() if param.grad is not None])
    return found


def reference_ema(alpha: float, lamb: float) -> list[list[Tensor]]:
    """As ironjr/grokfast `gradfilter_ema`, which the paper publishes."""
    net, means, found = model(), None, []
    for step in range(STEPS):
        grads = gradients(step, net)
        if means is None:
            means = [grad.clone() for grad in grads]
        means = [mean * alpha + grad * (1 - alpha) for mean, grad in zip(means, grads, strict=True)]
        found.append([grad + mean * lamb for grad, mean in zip(grads, means, strict=True)])
    return found


def reference_ma(window: int, lamb: float, *, warmup: bool) -> list[list[Tensor]]:
    """As `gradfilter_ma` there."""
    net, found = model(), []
    past: list[deque[Tensor]] = [deque(maxlen=window) for _ in net.parameters()]
    for step in range(STEPS):
        grads = gradients(step, net)
        for queue, grad in zip(past, grads, strict=True):
            queue.append(grad.clone())
        if not warmup or len(past[0]) == window:
            grads = [grad + sum(queue) / len(queue) * lamb for queue, grad in zip(past, grads, strict=True)]
        found.append(grads)
    return found


@pytest.mark.parametrize(("alpha", "lamb"), [(0.98, 2.0), (0.5, 5.0), (0.0, 1.0)])
def test_ema_equals_the_reference(alpha: float, lamb: float) -> None:
    got = filtered(GrokFast(alpha=alpha, lamb=lamb))
    torch.testing.assert_close(got, reference_ema(alpha, lamb), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("window", [1, 3, 7])
@pytest.mark.parametrize("warmup", [True, False])
def test_ma_equals_the_reference_over_many_windows(window: int, warmup: bool) -> None:
    options = GrokFast(kind="ma", window=window, lamb=5.0, warmup_steps=None if warmup else 0)
    torch.testing.assert_close(filtered(options), reference_ma(window, 5.0, warmup=warmup), rtol=1e-5, atol=1e-5)


def test_the_warmup_leaves_gradients_as_they_are_but_remembers_them() -> None:
    plain, warmed = filtered(GrokFast()), filtered(GrokFast(warmup_steps=5))
    net = model()
    torch.testing.assert_close(warmed[:5], [gradients(step, net) for step in range(5)])
    torch.testing.assert_close(warmed[5:], plain[5:])


def test_excluded_parameters_and_those_without_a_gradient_are_left_alone() -> None:
    net = model()
    gradient_filter = GradientFilter(net.named_parameters(), GrokFast(), excluded={"0.weight"})
    net[0].weight.grad, net[0].bias.grad = torch.ones(6, 4), torch.ones(6)
    gradient_filter.apply()
    assert torch.equal(net[0].weight.grad, torch.ones(6, 4))
    torch.testing.assert_close(net[0].bias.grad, torch.full((6,), 3.0))
    assert net[1].weight.grad is None


@pytest.mark.parametrize("kind", ["ema", "ma"])
def test_its_state_goes_on_where_it_was(kind: str) -> None:
    options = GrokFast(kind=kind, window=3)  # type: ignore[arg-type]
    net = model()
    first = GradientFilter(net.named_parameters(), options, excluded=set())
    second = GradientFilter(net.named_parameters(), options, excluded=set())
    for step in range(12):
        results = []
        for each in (first, second):
            for param, grad in zip(net.parameters(), gradients(step, net), strict=True):
                param.grad = grad
            each.apply()
            results.append([param.grad for param in net.parameters()])
            if step < 6:
                second.load_state_dict(first.state_dict())
                break
        if step >= 6:
            torch.testing.assert_close(results[0], results[1], rtol=0, atol=0)
