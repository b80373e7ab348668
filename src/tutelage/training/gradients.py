"""What gradients and updates amount to: norms by group, the update's ratio, and a check against finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from tutelage.training.plan import Clip


def norm_of(tensors: Iterable[Tensor]) -> float:
    """Return the Euclidean norm of all values together; 0 of nothing."""
    norms = torch._foreach_norm(list(tensors)) if (tensors := list(tensors)) else []
    return float(torch.linalg.vector_norm(torch.stack(list(norms)))) if norms else 0.0


def gradient_norms(model: nn.Module, *, depth: int = 1) -> dict[str, float]:
    """Return the gradient's norm by the first `depth` parts of the parameters' names: `{"encoder": 0.3, ...}`."""
    found: dict[str, list[Tensor]] = {}
    for name, param in model.named_parameters():
        if param.grad is not None:
            found.setdefault(".".join(name.split(".")[:depth]), []).append(param.grad)
    return {name: norm_of(grads) for name, grads in found.items()}


def clip_gradients(gradients: Sequence[Tensor], clip: Clip, *, norm: float) -> None:
    """Bound each value, then the Euclidean norm, in place; `norm` is theirs as they come in."""
    if clip.value is not None:
        torch._foreach_clamp_min_(list(gradients), -clip.value)
        torch._foreach_clamp_max_(list(gradients), clip.value)
        norm = norm_of(gradients)
    if clip.norm is not None and norm > clip.norm:
        if clip.is_stacked:
            _clip_stacked(gradients, clip.norm)
        else:
            torch._foreach_mul_(list(gradients), clip.norm / norm)


def _clip_stacked(gradients: Sequence[Tensor], limit: float) -> None:
    """Bound the norm of each model that is stacked along the first axis, in place."""
    squares = torch.stack([gradient.flatten(1).square().sum(1) for gradient in gradients]).sum(0)
    factors = (limit / squares.sqrt().clamp_min(1e-12)).clamp_max(1.0)
    for gradient in gradients:
        gradient.mul_(factors.view(-1, *[1] * (gradient.dim() - 1)))


class UpdateRatio:
    """Measures what one step changes: the norm of the change over the norm of the weights."""

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        self._parameters = [param for param in parameters if param.requires_grad]
        self._before = [param.detach().clone() for param in self._parameters]

    def measure(self) -> float:
        """Return the ratio since this object was made; infinite where all weights were zero."""
        changes = torch._foreach_sub([param.detach() for param in self._parameters], self._before)
        weights = norm_of(self._before)
        return norm_of(changes) / weights if weights else math.inf


def gradient_error(
    loss: Callable[[], Tensor],
    parameters: Iterable[Tensor],
    *,
    num_directions: int = 3,
    step: float = 1e-5,
    seed: int = 0,
) -> float:
    """Return how far the gradient is from central finite differences, relative, at worst over random directions.

    `loss` must be free of randomness and is best computed in float64 (`model.double()`): then a correct gradient has
    an error of about 1e-7. In float32 take `step=1e-3` and expect 1e-2.
    """
    parameters = [param for param in parameters if param.requires_grad]
    grads = torch.autograd.grad(loss(), parameters, allow_unused=True)
    draw = torch.Generator().manual_seed(seed)
    worst = 0.0
    for _ in range(num_directions):
        along = [torch.randn(param.shape, generator=draw, dtype=param.dtype).to(param.device) for param in parameters]
        exact = sum(float((grad * part).sum()) for grad, part in zip(grads, along, strict=True) if grad is not None)
        measured = (_moved(loss, parameters, along, step) - _moved(loss, parameters, along, -step)) / (2 * step)
        worst = max(worst, abs(exact - measured) / max(abs(exact), abs(measured), 1e-12))
    return worst


@torch.no_grad()
def _moved(loss: Callable[[], Tensor], parameters: Sequence[Tensor], along: Sequence[Tensor], step: float) -> float:
    """Return the loss with the parameters moved along a direction, and move them back exactly."""
    before = [param.clone() for param in parameters]
    for param, part in zip(parameters, along, strict=True):
        param.add_(part, alpha=step)
    value = float(loss())
    for param, kept in zip(parameters, before, strict=True):
        param.copy_(kept)
    return value
