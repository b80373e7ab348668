"""In which number format a step is computed: 32 bit, bfloat16 or float16 autocast, or one simulated."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from tutelage.core.errors import unknown
from tutelage.core.training import PRECISIONS
from tutelage.training.randomness import same_afterwards

TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
LOWEST_SCALE = 1.0
"""A float16 gradient that overflows even under this factor is not a matter of the factor."""


class Precision:
    """Float32 throughout; the other precisions derive from it."""

    name = "fp32"

    def begin(self) -> None:
        """Hear that a step begins."""

    def forward(self) -> AbstractContextManager[Any]:
        """Return the context in which losses are computed."""
        return nullcontext()

    def backward(self, total: Tensor) -> None:
        """Add the gradient of `total` to the parameters'."""
        torch.autograd.backward(total)

    def finish(self, optimizer: torch.optim.Optimizer) -> None:
        """Bring the gradients into float32, at their true size."""

    def settle(self) -> bool:
        """Hear that the step is decided; tell whether an overflow in it is the format's own and will pass."""
        return False

    def figures(self) -> dict[str, float]:
        """Return metrics of the newest step."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""


class Autocast(Precision):
    """Matrix products in bfloat16, weights and gradients in float32."""

    name = "bf16"

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def forward(self) -> AbstractContextManager[Any]:
        """Return the context in which losses are computed."""
        return torch.autocast(self._device.type, dtype=TYPES[self.name])


class ScaledAutocast(Autocast):
    """Matrix products in float16; the loss is scaled so that small gradients stay above zero."""

    name = "fp16"

    def __init__(self, device: torch.device) -> None:
        super().__init__(device)
        self._scaler = torch.amp.GradScaler(device.type)

    def backward(self, total: Tensor) -> None:
        """Add the scaled gradient of `total` to the parameters'."""
        torch.autograd.backward(self._scaler.scale(total))

    def finish(self, optimizer: torch.optim.Optimizer) -> None:
        """Take the scale off the gradients."""
        self._scaler.unscale_(optimizer)

    def settle(self) -> bool:
        """Adapt the scale; an overflow passes with a smaller one while there is one."""
        scale = self._scaler.get_scale()
        self._scaler.update()
        return scale > LOWEST_SCALE

    def figures(self) -> dict[str, float]:
        """Return the scale."""
        return {"loss_scale": float(self._scaler.get_scale())}

    def state_dict(self) -> dict[str, Any]:
        """Return the scale and when it grew."""
        return dict(self._scaler.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned; nothing where another precision wrote it."""
        if state:
            self._scaler.load_state_dict(state)


class Simulated(Precision):
    """Float32 arithmetic whose weights, activations and gradients are rounded through a smaller type.

    Tells on any machine what the type would lose: values that become infinite, and values that become zero.
    """

    def __init__(self, model: nn.Module, kind: str) -> None:
        self.name = f"simulate:{kind}"
        self._type = TYPES[kind]
        self._parameters = list(model.parameters())
        self._masters: list[Tensor] = []
        self._counts = _Counts()
        for module in model.modules():
            if not list(module.children()):
                module.register_forward_hook(self._round_output)

    def begin(self) -> None:
        """Round the weights, and keep the exact ones aside."""
        self._counts = _Counts()
        self._masters = [param.detach().clone() for param in self._parameters]
        for param in self._parameters:
            param.data = self._rounded(param.data)

    def finish(self, optimizer: torch.optim.Optimizer) -> None:
        """Bring the exact weights back, and round the gradients."""
        for param, master in zip(self._parameters, self._masters, strict=True):
            param.data = master
            if param.grad is not None:
                param.grad = self._rounded(param.grad)
        self._masters = []

    def figures(self) -> dict[str, float]:
        """Return what was lost in the newest step."""
        counts = self._counts
        return {
            "overflow_count": float(counts.num_overflows),
            "underflow_share": counts.num_underflows / max(counts.num_nonzero, 1),
        }

    def _round_output(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        is_step = bool(self._masters)
        if not is_step or not isinstance(output, Tensor) or not output.is_floating_point():
            return output
        return _Rounding.apply(output, self._rounded)  # type: ignore[no-untyped-call]

    def _rounded(self, exact: Tensor) -> Tensor:
        rounded = exact.to(self._type).to(exact.dtype)
        self._counts.add(exact, rounded)
        return rounded


class _Counts:
    """What rounding lost."""

    def __init__(self) -> None:
        self.num_overflows, self.num_underflows, self.num_nonzero = 0, 0, 0

    def add(self, exact: Tensor, rounded: Tensor) -> None:
        is_nonzero = exact != 0
        self.num_nonzero += int(is_nonzero.sum())
        self.num_underflows += int((is_nonzero & (rounded == 0)).sum())
        self.num_overflows += int((exact.isfinite() & ~rounded.isfinite()).sum())


class _Rounding(torch.autograd.Function):
    """Rounds a value on its way forward, and its gradient on its way back."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, rounded: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.rounded = rounded
        return rounded(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.rounded(gradient), None


def create_precision(name: str, model: nn.Module) -> Precision:
    """Make the precision of that name for a model on its device. `auto` is chosen by `probe` first."""
    device = next(model.parameters()).device
    if name == "fp32":
        return Precision()
    if name == "bf16":
        return Autocast(device)
    if name == "fp16":
        return ScaledAutocast(device)
    kind = name.removeprefix("simulate:")
    if name == kind or kind not in TYPES:
        raise unknown("precision", name, PRECISIONS)
    return Simulated(model, kind)


def probe(model: nn.Module, step: Callable[[], Tensor], *, num_steps: int = 3) -> str:
    """Time forward and backward in both formats and return the faster: `bf16` or `fp32`.

    `step` computes a loss. Weights, buffers, gradients and random state are afterwards as they were.
    """
    best_s = {}
    with same_afterwards(model):
        for name in ("fp32", "bf16"):
            precision = create_precision(name, model)
            durations_s = []
            for _ in range(num_steps):
                began_s = time.perf_counter()
                with precision.forward():
                    total = step()
                torch.autograd.backward(total)
                durations_s.append(time.perf_counter() - began_s)
                model.zero_grad(set_to_none=True)
            best_s[name] = min(durations_s)
    return "bf16" if best_s["bf16"] < best_s["fp32"] else "fp32"
