"""How far a policy has moved from the one it began with, so that a fine-tuned one is held near it."""

from __future__ import annotations

import torch
from torch import Tensor

from tutelage.services.agents.environments.base import Continuous
from tutelage.services.agents.policies.heads import ILLEGAL
from tutelage.services.agents.policies.team import RolePolicy
from tutelage.services.agents.ppo.minibatches import Minibatch


def divergence(policy: RolePolicy, base: RolePolicy, rows: Minibatch) -> Tensor:
    """Return KL(base || policy) a seed (S,), the mean over a minibatch's rows of actions' and words' divergence.

    Both are given the same normalised inputs: the statistics of a fine-tuned policy stay those of its base.
    """
    outputs, before = _outputs(policy, rows), _outputs(base, rows).detach()
    heads, num = policy.role.heads, policy.role.heads.num_action
    total = outputs.new_zeros(outputs.shape[:-1])
    if isinstance(heads.action, Continuous):
        assert policy.log_std is not None, "vectors have a deviation"
        assert base.log_std is not None, "vectors have a deviation"
        total = total + _normal(before[..., :num], base.log_std, outputs[..., :num], policy.log_std)
    elif heads.action is not None:
        mask = rows.allowed
        scores = [
            part[..., :num] if mask is None else part[..., :num].masked_fill(~mask, ILLEGAL)
            for part in (before, outputs)
        ]
        total = total + _categorical(scores[0], scores[1])
    if heads.symbols:
        total = total + _categorical(before[..., num:], outputs[..., num:])
    return total.flatten(1).mean(1)


def _outputs(policy: RolePolicy, rows: Minibatch) -> Tensor:
    if rows.actor_memory is None or rows.begins is None:
        outputs: Tensor = policy.actor(rows.inputs)
        return outputs
    return policy.actor.unroll(rows.inputs, rows.actor_memory, rows.begins)[0]


def _categorical(scores: Tensor, others: Tensor) -> Tensor:
    logs = torch.log_softmax(scores, -1)
    return (logs.exp() * (logs - torch.log_softmax(others, -1))).sum(-1)


def _normal(mean: Tensor, log_std: Tensor, other: Tensor, other_log_std: Tensor) -> Tensor:
    ratio = (2 * (log_std - other_log_std)).exp()
    apart = ((mean - other) * (-other_log_std).exp()).square()
    return 0.5 * (ratio + apart - 1 - 2 * (log_std - other_log_std)).sum(-1)
