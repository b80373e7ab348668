"""The gradient filter of the training layer beside the loop that GrokFast's authors publish, in turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from benchmarks.support.timing import quantile
from tutelage.training import GradientFilter, GrokFast

LAYERS = 12
"""Blocks of two norms, attention and a perceptron with biases: 24 million parameters in 144 tensors at width 408."""
ALPHA, LAMB, WINDOW = 0.98, 2.0, 10


def measured_ema(*, width: int, rounds: int) -> Measured:
    """Compare the exponential form."""
    return _measured(GrokFast(alpha=ALPHA, lamb=LAMB), _PlainEma, width=width, rounds=rounds)


def measured_ma(*, width: int, rounds: int) -> Measured:
    """Compare the moving average, once its window is full."""
    options = GrokFast(kind="ma", lamb=LAMB, window=WINDOW)
    return _measured(options, _PlainMa, width=width, rounds=rounds + WINDOW)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Both sides' median times of a step, taken in turns, and how far their gradients ever were apart."""

    ours_ms: float
    reference_ms: float
    difference: float
    num_parameters: int

    @property
    def ratio(self) -> float:
        """Our time over the reference's."""
        return self.ours_ms / self.reference_ms


def _measured(options: GrokFast, reference_of: Callable[[nn.Module], _Plain], *, width: int, rounds: int) -> Measured:
    """Run both filters in turns over the same gradients."""
    ours, theirs = blocks(width), blocks(width)
    gradient_filter = GradientFilter(ours.named_parameters(), replace(options, warmup_steps=0), excluded=set())
    reference = reference_of(theirs)
    times: tuple[list[float], list[float]] = ([], [])
    difference = 0.0
    for number in range(rounds):
        draw = torch.Generator().manual_seed(number)
        for own, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            grad = torch.randn(own.shape, generator=draw)
            own.grad, other.grad = grad, grad.clone()
        for taken_s, call in zip(times, (gradient_filter.apply, reference.apply), strict=True):
            began_s = time.perf_counter()
            call()
            taken_s.append(time.perf_counter() - began_s)
        difference = max(difference, _difference(ours, theirs))
    return Measured(
        ours_ms=1e3 * quantile(times[0][1:], 0.5),
        reference_ms=1e3 * quantile(times[1][1:], 0.5),
        difference=difference,
        num_parameters=sum(param.numel() for param in ours.parameters()),
    )


def blocks(width: int) -> nn.Module:
    """Return the parameters of a small Transformer's blocks."""
    block = [nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)]
    perceptron = [nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)]
    torch.manual_seed(0)
    made = [nn.ModuleList([type(m)(*_size(m)) for m in (*block, *perceptron)]) for _ in range(LAYERS)]
    return nn.ModuleList(made)


def _size(module: nn.Module) -> tuple[int, ...]:
    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    assert isinstance(module, nn.LayerNorm)
    return (module.normalized_shape[0],)


def _difference(ours: nn.Module, theirs: nn.Module) -> float:
    worst = 0.0
    for own, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert own.grad is not None, "every parameter has a gradient here"
        assert other.grad is not None, "every parameter has a gradient here"
        worst = max(worst, float((own.grad - other.grad).abs().max() / other.grad.abs().max()))
    return worst


class _Plain:
    """The filter as its authors publish it: a loop over named parameters."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    def apply(self) -> None:
        """Change the gradients."""
        raise NotImplementedError


class _PlainEma(_Plain):
    """`gradfilter_ema` of github.com/ironjr/grokfast, restated."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self._means: dict[str, Tensor] | None = None

    def apply(self) -> None:
        """Change the gradients."""
        named = [(name, param) for name, param in self._model.named_parameters() if param.requires_grad]
        if self._means is None:
            self._means = {name: param.grad.data.detach().clone() for name, param in named}  # type: ignore[union-attr]
        for name, param in named:
            assert param.grad is not None, "every parameter has a gradient here"
            self._means[name] = self._means[name] * ALPHA + param.grad.data.detach() * (1 - ALPHA)
            param.grad.data = param.grad.data + self._means[name] * LAMB


class _PlainMa(_Plain):
    """`gradfilter_ma` there, without warmup; it sums its whole window each step."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self._past: dict[str, list[Tensor]] = {}

    def apply(self) -> None:
        """Change the gradients."""
        for name, param in self._model.named_parameters():
            assert param.grad is not None, "every parameter has a gradient here"
            past = self._past.setdefault(name, [])
            past.append(param.grad.data.detach().clone())
            del past[:-WINDOW]
            param.grad.data = param.grad.data + sum(past) / len(past) * LAMB
