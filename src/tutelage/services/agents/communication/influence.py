"""What words do to those who hear them, and what they tell: measures on distributions, in nats.

Letters: B situations, M choices of the speaker, A actions of the hearer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class MessageInformation:
    """How much a speaker's words tell of what it sees. Nats; with nobody listening it is worth nothing by itself."""

    entropy: float
    """H(m), of the words over all situations."""
    conditional: float
    """H(m|s), left within one situation."""

    @property
    def mutual(self) -> float:
        """I(m; s) = H(m) - H(m|s)."""
        return max(self.entropy - self.conditional, 0.0)


def message_information(said: Reals) -> MessageInformation:
    """Return what a speaker's choices, distributed as (B, M), tell of its situation."""
    conditional = entropy(said).mean()
    return MessageInformation(entropy=float(entropy(said.mean(0))), conditional=float(conditional))


def causal_influence(acted: Reals, marginal: Reals) -> float:
    """Return the causal influence of communication: I(m; a | s) under words forced on the hearer.

    `acted` (M, B, A) is how the hearer acts in each situation after each choice, `marginal` (M,) how often that choice
    is made. Lowe et al. 2019, On the Pitfalls of Measuring Emergent Communication, algorithm 1.
    """
    mixed = np.einsum("m,mba->ba", marginal, acted)
    return float(np.einsum("m,mb->b", marginal, divergence(acted, mixed[None])).mean())


def counterfactual_influence(acted: Reals, said: Reals) -> float:
    """Return the influence of a speaker: how far its word moves the hearer from what its other words would have done.

    `acted` is (M, B, A); `said` (B, M) is the speaker's own distribution in each situation, over which the word that
    was said and the ones that might have been are both taken. Jaques et al. 2019, Social Influence as Intrinsic
    Motivation.
    """
    mixed = np.einsum("bm,mba->ba", said, acted)
    return float(np.einsum("bm,mb->b", said, divergence(acted, mixed[None])).mean())


def entropy(probs: Reals) -> Reals:
    """Return the entropy of distributions over the last axis."""
    return np.asarray(-(probs * np.log(np.maximum(probs, TINY))).sum(-1))


def divergence(probs: Reals, other: Reals) -> Reals:
    """Return KL(probs || other) over the last axis."""
    return np.asarray((probs * (np.log(np.maximum(probs, TINY)) - np.log(np.maximum(other, TINY)))).sum(-1))
