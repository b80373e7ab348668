"""What a policy's outputs mean: an action (one of some, or a vector within bounds) and a word; their odds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from tutelage.services.agents.environments.base import Continuous, Discrete

ILLEGAL = -1e9
"""The score of an action that is not legal: finite, so that its share of the entropy is 0 and not NaN."""
HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen: actions (...) or (..., size) of [-1, 1] and beyond, words (...) with -1 for silence."""

    action: Tensor | None
    word: Tensor | None


@dataclass(frozen=True, kw_only=True)
class Odds:
    """How likely a choice was, by the present policy: all (...). `word_log_probs` is (..., symbols)."""

    log_prob: Tensor
    entropy: Tensor
    word_log_probs: Tensor | None


@dataclass(frozen=True, kw_only=True)
class Heads:
    """An agent's action space and its symbols; the outputs are its action's, then its word's."""

    action: Discrete | Continuous | None
    symbols: int = 0

    @property
    def num_action(self) -> int:
        """Outputs for the action."""
        if self.action is None:
            return 0
        return self.action.num if isinstance(self.action, Discrete) else len(self.action.low)

    @property
    def outputs(self) -> int:
        """Outputs of the network."""
        return self.num_action + self.symbols

    def entropy_at(self, rate: float) -> float:
        """Return the entropy, nats, of acting at random with a share of `rate` and else as is best.

        Of one of n actions: that of epsilon-greedy. Of a vector: that of a deviation of `rate` of half its range.
        """
        words = _greedy_entropy(self.symbols, rate)
        if isinstance(self.action, Continuous):
            return words + self.num_action * (math.log(max(rate, 1e-6)) + HALF_LOG_TAU + 0.5)
        return words + _greedy_entropy(self.num_action, rate)

    def noise(self, shape: tuple[int, ...], generator: Generator) -> Tensor:
        """Draw what makes choices random: Gumbel's for one of several, normal for vectors; (*shape, outputs)."""
        uniform = torch.rand((*shape, self.outputs), generator=generator)
        gumbel = uniform.clamp_min_(1e-20).log_().neg_().clamp_min_(1e-20).log_().neg_()
        if isinstance(self.action, Continuous):
            gumbel[..., : self.num_action] = torch.randn((*shape, self.num_action), generator=generator)
        return gumbel

    def choose(
        self, outputs: Tensor, log_std: Tensor | None, *, noise: Tensor | None = None, allowed: Tensor | None = None
    ) -> Choice:
        """Choose by the outputs (..., outputs): at random with `noise`, otherwise the likeliest."""
        scores, words = self.split(outputs, allowed)
        drawn = (noise[..., : self.num_action], noise[..., self.num_action :]) if noise is not None else (None, None)
        action = None
        if isinstance(self.action, Discrete):
            action = (scores if drawn[0] is None else scores + drawn[0]).argmax(-1)
        elif self.action is not None:
            assert log_std is not None, "vectors have a deviation"
            action = scores if drawn[0] is None else scores + log_std.exp() * drawn[0]
        word = (words if drawn[1] is None else words + drawn[1]).argmax(-1) if self.symbols else None
        return Choice(action=action, word=word)

    def odds(
        self,
        outputs: Tensor,
        log_std: Tensor | None,
        *,
        action: Tensor | None,
        word: Tensor | None,
        allowed: Tensor | None = None,
    ) -> Odds:
        """Return how likely a choice is by the outputs, and the entropy of choosing. Silence has neither."""
        scores, words = self.split(outputs, allowed)
        log_prob, entropy = outputs.new_zeros(outputs.shape[:-1]), outputs.new_zeros(outputs.shape[:-1])
        if isinstance(self.action, Discrete):
            assert action is not None, "an action was chosen"
            log_prob, entropy = _categorical(torch.log_softmax(scores, -1), action)
        elif self.action is not None:
            assert action is not None, "an action was chosen"
            assert log_std is not None, "vectors have a deviation"
            log_prob, entropy = _normal(scores, log_std, action)
        if not self.symbols:
            return Odds(log_prob=log_prob, entropy=entropy, word_log_probs=None)
        assert word is not None, "a word was chosen"
        logs = torch.log_softmax(words, -1)
        said, word_entropy = _categorical(logs, word.clamp_min(0))
        spoke = word >= 0
        return Odds(log_prob=log_prob + said * spoke, entropy=entropy + word_entropy * spoke, word_log_probs=logs)

    def split(self, outputs: Tensor, allowed: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the action's outputs, those that are not legal far below the others, and the word's."""
        scores, words = outputs[..., : self.num_action], outputs[..., self.num_action :]
        return (scores if allowed is None else scores.masked_fill(~allowed, ILLEGAL)), words


def _categorical(logs: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    return logs.gather(-1, chosen.unsqueeze(-1)).squeeze(-1), -(logs.exp() * logs).sum(-1)


def _normal(means: Tensor, log_std: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    standard = (chosen - means) * (-log_std).exp()
    log_prob = (-0.5 * standard.square() - log_std - HALF_LOG_TAU).sum(-1)
    return log_prob, (log_std + HALF_LOG_TAU + 0.5).sum(-1).expand_as(log_prob)


def _greedy_entropy(num: int, rate: float) -> float:
    if num < 2 or rate <= 0:
        return 0.0
    other = rate / num
    best = 1 - rate + other
    return -(best * math.log(best) + (num - 1) * other * math.log(other))
