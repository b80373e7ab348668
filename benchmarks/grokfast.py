"""The GrokFast filter: its cost beside the published loop, equality with it, and what it does beside tuned AdamW."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from benchmarks.report import Figure, Report
from benchmarks.support.grokking import CAP_STEPS, GROKKING, steps_to_grok
from benchmarks.support.timing import quantile
from tutelage.training import GradientFilter, GrokFast

LAYERS, WIDTH = 12, 408
"""Blocks of two norms, attention and a perceptron with biases: 24 million parameters in 144 tensors."""
QUICK_WIDTH = 96
ROUNDS, QUICK_ROUNDS = 15, 5
ALPHA, LAMB, WINDOW = 0.98, 2.0, 10


def run(*, quick: bool) -> Report:
    """Measure the cost, and unless `quick` train every row of the table."""
    torch.set_num_threads(1)
    width, rounds = (QUICK_WIDTH, QUICK_ROUNDS) if quick else (WIDTH, ROUNDS)
    ema = measured(GrokFast(alpha=ALPHA, lamb=LAMB), _PlainEma, width=width, rounds=rounds)
    moving = GrokFast(kind="ma", lamb=LAMB, window=WINDOW)
    ma = measured(moving, _PlainMa, width=width // 2, rounds=rounds + WINDOW)
    figures = [
        Figure(key="cost_vs_reference", value=ema.ratio, unit="times", at_most=0.34),
        Figure(key="ms_per_step", value=ema.ours_ms, unit="ms"),
        Figure(key="reference_ms_per_step", value=ema.reference_ms, unit="ms"),
        Figure(key="max_difference", value=max(ema.difference, ma.difference), unit="relative", at_most=1e-5),
        Figure(key="ma_cost_vs_reference", value=ma.ratio, unit="times"),
        Figure(key="parameters", value=ema.num_parameters, unit="numbers"),
    ]
    return Report(name="grokfast", figures=figures if quick else [*figures, *_grokking()])


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


def measured(options: GrokFast, reference_of: Callable[[nn.Module], _Plain], *, width: int, rounds: int) -> Measured:
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


def _grokking() -> list[Figure]:
    """Train every row of the table, and print each as it ends."""
    figures = []
    for row in GROKKING:
        found = steps_to_grok(row)
        reached = f"{found.steps:,} steps" if found.is_reached else f"not within {CAP_STEPS:,}"
        print(f"  {row.key:<28} {reached}, validation accuracy {found.accuracy:.3f}, {found.seconds:.0f} s", flush=True)
        if found.is_reached:
            figures.append(Figure(key=f"{row.key}_steps", value=found.steps, unit="steps"))
        figures.append(Figure(key=f"{row.key}_accuracy", value=found.accuracy, unit="share"))
    return figures
