"""Advantages by generalised advantage estimation (Schulman et al. 2016), with the time limit bootstrapped."""

from __future__ import annotations

import torch
from torch import Tensor


def advantages(rewards: Tensor, values: Tensor, ended: Tensor, *, gamma: float, lam: float) -> Tensor:
    """Return advantages (S, T, M) of rewards (S, T, M) and values (S, T + 1, M).

    `ended` (S, T, M) cuts at the end of an episode. Where that was the time limit and no true end, the value of the
    last observation, discounted, must have been added to the reward (Pardo et al. 2018).
    """
    goes_on = (~ended).to(rewards.dtype)
    errors = rewards + gamma * values[:, 1:] * goes_on - values[:, :-1]
    decay = gamma * lam * goes_on
    found = torch.empty_like(errors)
    running = torch.zeros_like(errors[:, 0])
    for time in range(errors.shape[1] - 1, -1, -1):
        running = torch.addcmul(errors[:, time], decay[:, time], running)
        found[:, time] = running
    return found


def explained_variance(values: Tensor, returns: Tensor) -> Tensor:
    """Return, a seed (S,), the share of the returns' variance that the values explain; 0 where there is none."""
    spread = returns.flatten(1).var(1)
    left = (returns - values).flatten(1).var(1)
    return torch.where(spread > 0, 1 - left / spread.clamp_min(1e-12), torch.zeros_like(spread))
