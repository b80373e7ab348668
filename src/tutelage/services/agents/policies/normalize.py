"""Running means and deviations of inputs and of returns, kept with the weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

BOUND = 10.0
EPSILON = 1e-8


class Normalizer(nn.Module):
    """Inputs (S, ..., inputs) to mean 0 and deviation 1, by all that was seen so far (Chan et al. 1979).

    Only the first `num` numbers are: words heard and names of agents are left as they are.
    """

    mean: Tensor
    var: Tensor
    scale: Tensor
    count: Tensor

    def __init__(self, inputs: int, num_seeds: int, *, num: int) -> None:
        super().__init__()
        self._num = num
        self.register_buffer("mean", torch.zeros(num_seeds, 1, inputs))
        self.register_buffer("var", torch.ones(num_seeds, 1, inputs))
        self.register_buffer("scale", torch.ones(num_seeds, 1, inputs))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Return the inputs (S, B, inputs) normalised and bounded."""
        if self._num == 0:
            return x
        return ((x - self.mean) * self.scale).clamp_(-BOUND, BOUND)

    @torch.no_grad()
    def learn(self, rows: Tensor) -> None:
        """Take rows (S, B, inputs) in; they count as they are, before normalisation."""
        if self._num == 0:
            return
        seen = rows[..., : self._num]
        var, mean = torch.var_mean(seen, 1, keepdim=True, correction=0)
        self._merge(mean, var, float(rows.shape[1]))

    def _merge(self, mean: Tensor, var: Tensor, count: float) -> None:
        own = slice(0, self._num)
        before = float(self.count)
        total = before + count
        change = mean - self.mean[..., own]
        summed = self.var[..., own] * before + var * count + change.square() * (before * count / total)
        self.mean[..., own] += change * (count / total)
        self.var[..., own] = summed / total
        self.scale[..., own] = (self.var[..., own] + EPSILON).rsqrt()
        self.count += count


class ReturnScale(nn.Module):
    """Divides rewards by the running deviation of the discounted return, of each seed by itself."""

    var: Tensor
    mean: Tensor
    count: Tensor
    running: Tensor

    def __init__(self, num_seeds: int, num_rows: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(num_seeds, 1))
        self.register_buffer("var", torch.ones(num_seeds, 1))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("running", torch.zeros(num_seeds, num_rows))

    @torch.no_grad()
    def forward(self, rewards: Tensor, ended: Tensor, *, gamma: float) -> Tensor:
        """Return the rewards (S, T, M) scaled, after taking them in; `ended` (S, T, M) cuts the return."""
        returns = torch.empty_like(rewards)
        for time in range(rewards.shape[1]):
            returns[:, time] = self.running * gamma + rewards[:, time]
            self.running.copy_(returns[:, time] * ~ended[:, time])
        var, mean = torch.var_mean(returns.flatten(1), 1, keepdim=True, correction=0)
        self._merge(mean, var, float(returns[0].numel()))
        return rewards * (self.var + EPSILON).rsqrt().unsqueeze(-1)

    def _merge(self, mean: Tensor, var: Tensor, count: float) -> None:
        before = float(self.count)
        total = before + count
        change = mean - self.mean
        self.var.copy_((self.var * before + var * count + change.square() * (before * count / total)) / total)
        self.mean += change * (count / total)
        self.count += count
