"""The clipped loss of proximal policy optimisation (Schulman et al. 2017), a row a decision, a value a seed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tutelage.services.agents.policies.heads import Odds
from tutelage.services.agents.policies.team import RolePolicy
from tutelage.services.agents.ppo.biases import hears_and_chooses, listening, signalling, with_others_words
from tutelage.services.agents.ppo.minibatches import Minibatch

EPSILON = 1e-8


@dataclass(frozen=True, kw_only=True)
class Coefficients:
    """What the parts of the loss weigh. Entropies are nats.

    `exploration` is the rate of acting at random whose entropy is the policy's target: below it, what is missing is
    added, `exploration_weight` times. `signalling` rewards words that depend on what is seen, H(word) - H(word | seen):
    the positive-signalling bias of Eccles et al. 2019; below `signalling_target` the latter costs nothing. `listening`
    rewards actions that depend on what is heard: the positive-listening bias of the same paper.
    """

    clip: float
    value: float
    entropy: float
    exploration: float
    exploration_weight: float
    signalling: float
    signalling_target: float = 0.0
    listening: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RoleLoss:
    """A role's loss a seed (S,), the mean over its rows; what it is made of, detached, likewise."""

    total: Tensor
    parts: dict[str, Tensor]


def role_loss(policy: RolePolicy, rows: Minibatch, weigh: Coefficients) -> RoleLoss:
    """Return the loss of one minibatch of one role."""
    outputs = _outputs(policy, rows, rows.inputs)
    odds = _odds(policy, rows, outputs)
    shares = _shares(rows)
    log_ratio = odds.log_prob - rows.log_prob
    ratio = log_ratio.exp()
    advantage = _standard(rows.advantage, shares)
    bounded = ratio.clamp(1 - weigh.clip, 1 + weigh.clip)
    policy_loss = _mean(torch.maximum(-advantage * ratio, -advantage * bounded), shares)
    value_loss = 0.5 * _mean((_values(policy, rows) - rows.returns).square(), shares)
    entropy = _mean(odds.entropy, shares)
    total = policy_loss + weigh.value * value_loss
    if weigh.entropy:
        total = total - weigh.entropy * entropy
    if weigh.exploration and weigh.exploration_weight:
        missing = (policy.role.heads.entropy_at(weigh.exploration) - entropy).relu()
        total = total + weigh.exploration_weight * missing
    if weigh.signalling and odds.word_log_probs is not None and rows.word is not None:
        told = signalling(odds.word_log_probs, rows.word >= 0, target=weigh.signalling_target)
        total = total - weigh.signalling * told
    if weigh.listening and hears_and_chooses(policy.role):
        others = _outputs(policy, rows, with_others_words(rows.inputs, policy.role))
        heeded = listening(policy.role.heads, outputs, others, allowed=rows.allowed)
        total = total - weigh.listening * _mean(heeded, shares)
    with torch.no_grad():
        parts = {
            "policy_loss": policy_loss.detach(),
            "value_loss": value_loss.detach(),
            "entropy": entropy.detach(),
            "approx_kl": _mean(ratio - 1 - log_ratio, shares),
            "clip_fraction": _mean(((ratio - 1).abs() > weigh.clip).to(ratio.dtype), shares),
        }
    return RoleLoss(total=total, parts=parts)


def _outputs(policy: RolePolicy, rows: Minibatch, inputs: Tensor) -> Tensor:
    if rows.actor_memory is None or rows.begins is None:
        outputs: Tensor = policy.actor(inputs)
        return outputs
    return policy.actor.unroll(inputs, rows.actor_memory, rows.begins)[0]


def _odds(policy: RolePolicy, rows: Minibatch, outputs: Tensor) -> Odds:
    log_std: Tensor | None = policy.log_std
    if rows.actor_memory is not None and log_std is not None:
        log_std = log_std.unsqueeze(1)
    return policy.role.heads.odds(outputs, log_std, action=rows.action, word=rows.word, allowed=rows.allowed)


def _values(policy: RolePolicy, rows: Minibatch) -> Tensor:
    seen = rows.inputs if rows.critic_inputs is None else rows.critic_inputs
    if rows.critic_memory is None or rows.begins is None:
        values: Tensor = policy.critic(seen).squeeze(-1)
        return values
    return policy.critic.unroll(seen, rows.critic_memory, rows.begins)[0].squeeze(-1)


def _shares(rows: Minibatch) -> Tensor | None:
    """Return what each row counts, so that a seed's add up to 1; None where all count alike."""
    if rows.plays is None:
        return None
    counts = rows.plays.flatten(1).to(rows.log_prob.dtype)
    return (counts / counts.sum(1, keepdim=True).clamp_min(1.0)).view_as(rows.log_prob)


def _mean(values: Tensor, shares: Tensor | None) -> Tensor:
    """Return the mean over a seed's rows, (S,)."""
    return values.flatten(1).mean(1) if shares is None else (values * shares).flatten(1).sum(1)


def _standard(values: Tensor, shares: Tensor | None) -> Tensor:
    """Return the values with mean 0 and deviation 1 a seed."""
    shape = (-1, *[1] * (values.dim() - 1))
    mean = _mean(values, shares).view(shape)
    spread = _mean((values - mean).square(), shares).view(shape).sqrt()
    return (values - mean) / (spread + EPSILON)
