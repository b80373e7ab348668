"""Whose reward an agent learns from: its own, its team's, or a mixture."""

from __future__ import annotations

import numpy as np

from tutelage.services.agents.environments.base import Booleans, Floats


def mixed(rewards: Floats, weight: float, plays: Booleans | None = None) -> Floats:
    """Return (1 - weight) of each agent's own reward (..., agents) and `weight` of the mean of those who play.

    0 leaves rewards as they are; 1 gives all the same. The mean, not the sum: the scale stays that of one agent's
    reward, whatever the size of the team. In a task of common reward the weight changes nothing.
    """
    if weight == 0.0:
        return rewards
    share = np.ones_like(rewards) if plays is None else plays.astype(np.float32)
    team = (rewards * share).sum(-1, keepdims=True) / np.maximum(share.sum(-1, keepdims=True), 1.0)
    mixture: Floats = ((1.0 - weight) * rewards + weight * team).astype(np.float32)
    return mixture
