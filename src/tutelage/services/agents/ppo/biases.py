"""What gets a team to speak and to listen: the biases of Eccles et al. 2019, a row a decision, a value a seed."""

from __future__ import annotations

import torch
from torch import Tensor

from tutelage.services.agents.environments.base import Discrete
from tutelage.services.agents.policies.heads import Heads
from tutelage.services.agents.policies.roles import Role

EPSILON = 1e-8


def signalling(word_log_probs: Tensor, spoke: Tensor, *, target: float = 0.0) -> Tensor:
    """Return H(word) - H(word | seen), nats a seed (S,), over the rows (S, b) in which somebody spoke.

    What is left of H(word | seen) below `target` costs nothing: words that two situations share do not become sure
    before they are told apart.
    """
    logs, shares = word_log_probs.flatten(1, -2), spoke.flatten(1).to(word_log_probs.dtype)
    count = shares.sum(1).clamp_min(1.0)
    odds = logs.exp()
    mean = (odds * shares.unsqueeze(-1)).sum(1) / count.unsqueeze(-1)
    given = -((odds * logs).sum(-1) * shares).sum(1) / count
    return -(mean * mean.clamp_min(EPSILON).log()).sum(-1) - (given - target).relu()


def hears_and_chooses(role: Role) -> bool:
    """Say whether a role's agents hear words and choose one of several actions: where `listening` counts."""
    return role.hears > 0 and isinstance(role.heads.action, Discrete)


def with_others_words(inputs: Tensor, role: Role) -> Tensor:
    """Return inputs (S, b, ..., inputs) with the words that were heard in another row; rows are in random order."""
    before, heard, after = torch.split(inputs, [role.observation, role.hears, role.names_agents], -1)
    return torch.cat((before, heard.roll(1, dims=1), after), -1)


def listening(heads: Heads, outputs: Tensor, others: Tensor, *, allowed: Tensor | None = None) -> Tensor:
    """Return |pi(a | seen, heard) - pi(a | seen, other words)|_1 of each row, 0 to 2 (Eccles et al. 2019).

    There it is the difference from the mean over words, which another network learns; here from one drawn word.
    """
    here, there = (heads.split(each, allowed)[0].softmax(-1) for each in (outputs, others))
    return (here - there).abs().sum(-1)
