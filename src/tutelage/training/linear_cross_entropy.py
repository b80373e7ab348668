"""Cross-entropy of a linear head without its logits: for large vocabularies, by chunks of rows.

The gradient is computed in the forward pass, chunk by chunk, so that no N x V matrix is ever held.
Legend: N rows (tokens), D model width, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

CHUNK = 256
"""Rows of logits held at once."""


def linear_cross_entropy(
    hidden: Tensor,  # (N, D) or (..., D)
    weight: Tensor,  # (V, D)
    targets: Tensor,  # (N,) or (...)
    *,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    chunk: int = CHUNK,
) -> Tensor:
    """Return the sum over valid rows of the cross-entropy of `hidden @ weight.T` against `targets`, a scalar.

    Equal to `F.cross_entropy(hidden @ weight.T, targets, reduction="sum")` in value and gradient; products are in the
    autocast type where one is on, softmax and sums in float32. Gradients of gradients are not supported.
    """
    total, _ = linear_cross_entropy_by_row(
        hidden, weight, targets, ignore_index=ignore_index, label_smoothing=label_smoothing, chunk=chunk
    )
    return total


def linear_cross_entropy_by_row(
    hidden: Tensor,  # (N, D) or (..., D)
    weight: Tensor,  # (V, D)
    targets: Tensor,  # (N,) or (...)
    *,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    chunk: int = CHUNK,
) -> tuple[Tensor, Tensor]:
    """Return the same sum, and each row's own loss, shaped as `targets`, without gradient; 0 where it is ignored."""
    width = hidden.shape[-1]
    rows, wanted = hidden.reshape(-1, width), targets.reshape(-1)
    if not torch.is_grad_enabled():  # an evaluation pays for no gradient; autograd functions are told nothing of it
        rows, weight = rows.detach(), weight.detach()
    total, losses = _ChunkedCrossEntropy.apply(  # type: ignore[no-untyped-call]
        rows, weight, wanted, ignore_index, label_smoothing, chunk
    )
    return total, losses.view(targets.shape)


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, ignore_index: int, smoothing: float, chunk: int
    ) -> tuple[Tensor, Tensor]:
        device = hidden.device.type
        kind = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
        wants_hidden, wants_weight = ctx.needs_input_grad[:2]
        head = weight.to(kind)
        total = torch.zeros((), dtype=torch.float32 if kind != torch.float64 else kind, device=hidden.device)
        losses = torch.empty(len(hidden), dtype=total.dtype, device=hidden.device)
        hidden_grad = torch.empty_like(hidden) if wants_hidden else None
        weight_grad = torch.zeros_like(weight, dtype=total.dtype) if wants_weight else None
        with torch.autocast(device, enabled=False):
            for begin in range(0, len(hidden), chunk):
                rows = slice(begin, begin + chunk)
                part, wanted = hidden[rows].to(kind), targets[rows]
                logits = (part @ head.T).to(total.dtype)  # (chunk, V)
                losses[rows], slope = _loss_and_slope(logits, wanted, ignore_index, smoothing)
                total += losses[rows].sum()
                slope = slope.to(kind)
                if hidden_grad is not None:
                    hidden_grad[rows] = (slope @ head).to(hidden.dtype)
                if weight_grad is not None:
                    weight_grad += slope.T @ part
        ctx.save_for_backward(hidden_grad, weight_grad)
        ctx.weight_type = weight.dtype
        ctx.mark_non_differentiable(losses)
        return total, losses

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        hidden_grad, weight_grad = ctx.saved_tensors
        if hidden_grad is not None:
            hidden_grad = hidden_grad * gradient.to(hidden_grad.dtype)
        if weight_grad is not None:
            weight_grad = (weight_grad * gradient).to(ctx.weight_type)
        return hidden_grad, weight_grad, None, None, None, None


def _loss_and_slope(logits: Tensor, targets: Tensor, ignore_index: int, smoothing: float) -> tuple[Tensor, Tensor]:
    """Return each row's loss and its derivative by the logits, softmax - target; 0 for rows that are not valid.

    loss = logsumexp(z) - (1 - smoothing) z[target] - smoothing mean(z). The logarithm comes from the softmax that the
    derivative needs anyway, at its largest value: logsumexp(z) = max(z) - ln max(softmax(z)); a third of the time.
    """
    is_ignored = targets == ignore_index
    index = targets.masked_fill(is_ignored, 0).unsqueeze(1)
    slope = logits.softmax(-1)
    losses = logits.amax(-1) - slope.amax(-1).log() - (1 - smoothing) * logits.gather(1, index).squeeze(1)
    if smoothing:
        losses -= smoothing * logits.mean(-1)
        slope -= smoothing / logits.shape[-1]
    slope.scatter_add_(1, index, slope.new_full(index.shape, smoothing - 1))
    return losses.masked_fill_(is_ignored, 0), slope.masked_fill_(is_ignored.unsqueeze(1), 0)
