"""GrokFast: amplifies the slow part of the gradient between backward and step."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from tutelage.training.plan import GrokFast


class GradientFilter:
    """The filter of Lee et al. 2024 (arXiv 2405.20233, algorithms 1 and 2), by `torch._foreach_*` over all parameters.

    `alpha` and `lamb` may be changed between two steps. A parameter without a gradient in a step is left out of it.
    """

    def __init__(self, parameters: Iterable[tuple[str, Tensor]], options: GrokFast, *, excluded: set[str]) -> None:
        self.alpha, self.lamb = options.alpha, options.lamb
        self._named = [(name, param) for name, param in parameters if param.requires_grad and name not in excluded]
        self._warmup = options.warmup_steps
        self._steps = 0
        self._mean: _Mean = _Exponential() if options.kind == "ema" else _Moving(options.window)

    def apply(self) -> None:
        """Take the gradients into the mean, and add `lamb` times the mean to them."""
        names = [name for name, param in self._named if param.grad is not None]
        grads = [param.grad for _, param in self._named if param.grad is not None]
        if not grads:
            return
        self._steps += 1
        means = self._mean.take(names, grads, self.alpha)
        is_warm = self._mean.is_full if self._warmup is None else self._steps > self._warmup
        if is_warm:
            torch._foreach_add_(grads, means, alpha=self.lamb * self._mean.weight)

    def state_dict(self) -> dict[str, Any]:
        """Return the remembered gradients by parameter name."""
        return {"steps": self._steps, "mean": self._mean.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned, of a filter of the same kind; another kind's is left out."""
        devices = {name: param.device for name, param in self._named}
        if self._mean.load_state_dict(state["mean"], devices):
            self._steps = state["steps"]


class _Mean:
    """What a mean of past gradients can do; `weight` times what `take` returns is the mean."""

    is_full = True
    weight = 1.0

    def take(self, names: list[str], grads: list[Tensor], alpha: float) -> list[Tensor]:
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        raise NotImplementedError

    def load_state_dict(self, state: Mapping[str, Any], devices: Mapping[str, torch.device]) -> bool:
        raise NotImplementedError


class _Exponential(_Mean):
    """`mu = alpha mu + (1 - alpha) g`; the first gradient is the first mean."""

    def __init__(self) -> None:
        self._mean: dict[str, Tensor] = {}

    def take(self, names: list[str], grads: list[Tensor], alpha: float) -> list[Tensor]:
        for name, grad in zip(names, grads, strict=True):
            if name not in self._mean:
                self._mean[name] = grad.clone()
        means = [self._mean[name] for name in names]
        torch._foreach_lerp_(means, grads, 1 - alpha)
        return means

    def state_dict(self) -> dict[str, Any]:
        return {"kind": "ema", "mean": dict(self._mean)}

    def load_state_dict(self, state: Mapping[str, Any], devices: Mapping[str, torch.device]) -> bool:
        if state["kind"] != "ema":
            return False
        self._mean = {
            name: mean.to(devices[name], copy=True) for name, mean in state["mean"].items() if name in devices
        }
        return True


class _Moving(_Mean):
    """The sum of the last `window` gradients, kept by one addition and one subtraction.

    The sum is taken anew once a window, so that rounding does not build up: still a constant number of additions a
    step, on average.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._past: deque[dict[str, Tensor]] = deque()
        self._sum: dict[str, Tensor] = {}
        self._since_anew = 0

    @property
    def is_full(self) -> bool:  # type: ignore[override]
        return len(self._past) == self._window

    @property
    def weight(self) -> float:  # type: ignore[override]
        return 1 / len(self._past)

    def take(self, names: list[str], grads: list[Tensor], alpha: float) -> list[Tensor]:
        newest = {name: grad.clone() for name, grad in zip(names, grads, strict=True)}
        self._past.append(newest)
        for name, grad in newest.items():
            if name not in self._sum:
                self._sum[name] = torch.zeros_like(grad)
        torch._foreach_add_([self._sum[name] for name in names], grads)
        if len(self._past) > self._window:
            self._forget()
        return [self._sum[name] for name in names]

    def _forget(self) -> None:
        oldest = self._past.popleft()
        torch._foreach_sub_([self._sum[name] for name in oldest], list(oldest.values()))
        self._since_anew += 1
        if self._since_anew == self._window:
            self._since_anew = 0
            torch._foreach_zero_(list(self._sum.values()))
            for past in self._past:
                torch._foreach_add_([self._sum[name] for name in past], list(past.values()))

    def state_dict(self) -> dict[str, Any]:
        return {"kind": "ma", "past": list(self._past), "sum": dict(self._sum), "since_anew": self._since_anew}

    def load_state_dict(self, state: Mapping[str, Any], devices: Mapping[str, torch.device]) -> bool:
        if state["kind"] != "ma" or len(state["past"]) > self._window:
            return False

        def placed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {name: tensor.to(devices[name], copy=True) for name, tensor in tensors.items() if name in devices}

        self._past = deque(placed(past) for past in state["past"])
        self._sum, self._since_anew = placed(state["sum"]), state["since_anew"]
        return True
