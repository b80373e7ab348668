"""Whole episodes with fixed policies: one of each copy, counted from its beginning to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from tutelage.services.agents.environments.base import Observation
from tutelage.services.agents.environments.fleet import Fleet
from tutelage.services.agents.policies.team import Team
from tutelage.services.agents.ppo.acting import RoleChoice, actions_of, words_of
from tutelage.services.agents.ppo.inputs import Heard, RoleInputs
from tutelage.services.agents.ppo.speech import Speech


@dataclass(frozen=True, kw_only=True)
class Played:
    """Episodes, one a copy: arrays (S, episodes)."""

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    successes: NDArray[np.bool_]


class Player:
    """Acts with a team, step by step; its memories and what was heard are its own."""

    def __init__(
        self, team: Team, speech: Speech, *, num_copies: int, generators: Sequence[Generator] | None = None
    ) -> None:
        self._team, self._speech, self._generators = team, speech, generators
        self._makers = [
            RoleInputs(policy.role, num_seeds=team.num_seeds, num_copies=num_copies) for policy in team.roles
        ]
        self.memories = [
            policy.actor.memory(team.num_seeds, num_copies * len(policy.role.agents)) for policy in team.roles
        ]
        self.heard: Heard = speech.silence()

    @torch.no_grad()
    def choose(self, observation: Observation) -> list[RoleChoice]:
        """Return what every role does: the likeliest, or by chance where there are generators."""
        return [self._of_role(index, observation) for index in range(len(self._makers))]

    def hear(self, choices: Sequence[RoleChoice], observation: Observation, ended: NDArray[np.bool_]) -> None:
        """Deliver what was said; copies (S, B) that have begun anew hear and remember nothing."""
        heard = self._speech.deliver(words_of(choices, len(observation.seen)), observation)
        if ended.any():
            self._speech.forget(ended)
            for words in heard:
                if words is not None:
                    words[ended] = 0.0
            goes_on = torch.from_numpy(~ended)
            for index, memory in enumerate(self.memories):
                if memory is not None:
                    repeats = len(self._team.roles[index].role.agents)
                    self.memories[index] = memory * goes_on.repeat(1, repeats).unsqueeze(-1)
        self.heard = heard

    def _of_role(self, index: int, observation: Observation) -> RoleChoice:
        policy, maker = self._team.roles[index], self._makers[index]
        inputs = policy.inputs(maker.actor(observation, self.heard))
        outputs, self.memories[index] = policy.actor.step(inputs, self.memories[index])
        noise = None
        if self._generators is not None:
            rows = inputs.shape[1]
            noise = torch.stack([policy.role.heads.noise((rows,), generator) for generator in self._generators])
        choice = policy.role.heads.choose(outputs, policy.log_std, noise=noise, allowed=maker.allowed(observation))
        word, speaks = choice.word, maker.rows(observation.speaks)
        if word is not None and speaks is not None:
            word = word.masked_fill(~speaks, -1)
        return RoleChoice(role=policy.role, maker=maker, action=choice.action, word=word)


def play(team: Team, fleet: Fleet, speech: Speech, *, generators: Sequence[Generator] | None = None) -> Played:
    """Play one episode in each copy: greedily, or by chance with a generator a seed."""
    player = Player(team, speech, num_copies=fleet.num, generators=generators)
    observation = fleet.reset()
    shape: tuple[Any, ...] = (fleet.num_seeds, fleet.num)
    returns, lengths = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    successes, plays = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    while plays.any():
        choices = player.choose(observation)
        step = fleet.step(actions_of(choices, len(fleet.about.agents)))
        ended = step.terminated | step.truncated
        returns += step.rewards.mean(-1) * plays
        lengths += plays
        successes |= step.succeeded & ended & plays
        plays &= ~ended
        player.hear(choices, step.observation, ended)
        observation = step.observation
    return Played(returns=returns, lengths=lengths, successes=successes)
