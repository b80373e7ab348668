"""The positive-signalling bias of Eccles et al. 2019, Biases for Emergent Communication: speak so that it tells."""

from __future__ import annotations

import torch
from torch import Tensor


def signalling(log_probs: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return H(m) - H(m|s) in nats, (...,), of choices' log-probabilities (..., B, M) over a batch of situations.

    `weight` (..., B) is 0 where the agent could not speak. The loss of a learned channel is minus 0.1 of it: the words
    differ between situations, and are sure within one.
    """
    if weight is None:
        weight = torch.ones(log_probs.shape[:-1], dtype=log_probs.dtype, device=log_probs.device)
    share = weight / weight.sum(-1, keepdim=True).clamp_min(1.0)  # ..., B
    # A forbidden choice has log-probability -inf, or a very low one: it adds nothing.
    finite = log_probs.clamp_min(-30.0)
    probs = log_probs.exp()
    conditional = -(share * (probs * finite).sum(-1)).sum(-1)
    mean = (share[..., None] * probs).sum(-2)
    marginal = -(mean * mean.clamp_min(1e-12).log()).sum(-1)
    return marginal - conditional
