"""Episodes watched for what is said and what it does: odds of words, and of actions under words forced on hearers.

Letters: B copies, W words, A actions, N situations (copies and steps in which a hearer could have heard a speaker).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tutelage.services.agents.communication.channel import WordChannel
from tutelage.services.agents.communication.plan import NOTHING, ChannelPlan
from tutelage.services.agents.environments.base import Discrete, Floats, Integers, Observation
from tutelage.services.agents.environments.fleet import Fleet, part_of
from tutelage.services.agents.evaluation.play import Player
from tutelage.services.agents.policies.heads import ILLEGAL
from tutelage.services.agents.policies.team import RolePolicy, Team
from tutelage.services.agents.ppo.acting import actions_of, words_of
from tutelage.services.agents.ppo.inputs import RoleInputs
from tutelage.services.agents.ppo.speech import Speech

Reals = NDArray[np.float64]
MAX_SITUATIONS = 4096
"""Watched for each pair of speaker and hearer; enough for influences to two digits."""


@dataclass(kw_only=True)
class Pair:
    """How a hearer would act after each word of a speaker: lists of (W, n, A), and how likely each was, (n, W)."""

    acted: list[Reals] = field(default_factory=list)
    said: list[Reals] = field(default_factory=list)

    @property
    def num(self) -> int:
        """Situations so far."""
        return sum(len(part) for part in self.said)


@dataclass(kw_only=True)
class Heard:
    """All that was watched, by agents' numbers: pairs (speaker, hearer), and what each speaker saw and said."""

    pairs: dict[tuple[int, int], Pair] = field(default_factory=dict)
    seen: dict[int, list[Floats]] = field(default_factory=dict)
    words: dict[int, list[Integers]] = field(default_factory=dict)
    said: dict[int, list[Reals]] = field(default_factory=dict)


class Listener:
    """Watches one seed's team (S = 1) over one episode in each copy."""

    def __init__(self, team: Team, fleet: Fleet, channel: WordChannel) -> None:
        assert team.num_seeds == fleet.num_seeds == 1, "one seed is watched at a time"
        self._team, self._fleet, self._channel = team, fleet, channel
        self._plan: ChannelPlan = channel.plan
        self._makers = [RoleInputs(policy.role, num_seeds=1, num_copies=fleet.num) for policy in team.roles]
        self._speech = Speech(fleet.about, (channel,), num_copies=fleet.num, num_seeds=1)
        self.heard = Heard()

    @torch.no_grad()
    def watch(self) -> Heard:
        """Play greedily until every copy has ended once."""
        player = Player(self._team, self._speech, num_copies=self._fleet.num, generators=None)
        observation, plays = self._fleet.reset(), np.ones(self._fleet.num, dtype=bool)
        before: dict[int, Reals] = {}
        num_agents = len(self._fleet.about.agents)
        while plays.any():
            now = self._speaking(player, observation)
            self._keep_influence(player, observation, before, plays)
            choices = player.choose(observation)
            words = words_of(choices, num_agents)
            self._keep_words(observation, words, now, plays)
            step = self._fleet.step(actions_of(choices, num_agents))
            ended = step.terminated | step.truncated
            player.hear(choices, step.observation, ended)
            plays = plays & ~ended[0]
            observation, before = step.observation, now
        return self.heard

    def _speaking(self, player: Player, observation: Observation) -> dict[int, Reals]:
        """Return each speaker's distribution over its choices, (B, choices)."""
        found: dict[int, Reals] = {}
        for index, policy in enumerate(self._team.roles):
            if policy.role.heads.symbols:
                outputs = self._outputs(player, index, self._makers[index].actor(observation, player.heard))
                odds = outputs[..., policy.role.heads.num_action :].softmax(-1)
                for agent, part in zip(policy.role.agents, self._makers[index].split(odds), strict=True):
                    found[agent] = np.asarray(part[0], dtype=np.float64)
        return found

    def _keep_words(
        self,
        observation: Observation,
        words: Sequence[NDArray[np.int64] | None],
        odds: dict[int, Reals],
        plays: NDArray[np.bool_],
    ) -> None:
        for agent, part in odds.items():
            chosen = words[agent]
            assert chosen is not None, "a speaker chooses"
            rows = plays & (chosen[0] != NOTHING)
            self.heard.seen.setdefault(agent, []).append(observation.seen[agent][0][rows])
            self.heard.words.setdefault(agent, []).append(self._plan.decode(agent, chosen[0][rows])[0])
            self.heard.said.setdefault(agent, []).append(part[rows])

    def _keep_influence(
        self, player: Player, observation: Observation, before: dict[int, Reals], plays: NDArray[np.bool_]
    ) -> None:
        """Force every word of every speaker on every hearer that can hear it now, all else as it is."""
        one = part_of(observation, 0)
        for index, policy in enumerate(self._team.roles):
            for place, hearer in enumerate(policy.role.agents):
                if not isinstance(policy.role.heads.action, Discrete) or not self._plan.hears(hearer):
                    continue
                hears = plays if one.hears is None else plays & one.hears[:, hearer]
                for slot, speaker in enumerate(self._plan.sources(hearer)):
                    pair = self.heard.pairs.setdefault((speaker, hearer), Pair())
                    rows = hears & (self._channel.inboxes[hearer][:, slot] != NOTHING)
                    if speaker not in before or speaker == hearer or not rows.any() or pair.num >= MAX_SITUATIONS:
                        continue
                    forced = [
                        self._acting(player, observation, index, place, hearer, slot, word)[rows]
                        for word in range(self._plan.words)
                    ]
                    pair.acted.append(np.stack(forced))
                    pair.said.append(self._words_only(speaker, before[speaker][rows]))

    def _acting(
        self, player: Player, observation: Observation, index: int, place: int, hearer: int, slot: int, word: int
    ) -> Reals:
        """Return how a hearer would act (B, A) had it heard this word from this place."""
        policy, maker, num = self._team.roles[index], self._makers[index], self._fleet.num
        inbox = self._channel.inboxes[hearer].copy()
        inbox[:, slot] = word
        heard = list(player.heard)
        heard[hearer] = self._plan.read(hearer, inbox)[None]
        outputs = self._outputs(player, index, maker.actor(observation, tuple(heard)))
        scores = outputs[0, place * num : (place + 1) * num, : policy.role.heads.num_action]
        allowed = observation.allowed[hearer] if observation.allowed else None
        if allowed is not None:
            scores = scores.masked_fill(~torch.from_numpy(allowed[0]), ILLEGAL)
        return np.asarray(scores.softmax(-1).numpy(), dtype=np.float64)

    def _outputs(self, player: Player, index: int, raw: Tensor) -> Tensor:
        policy: RolePolicy = self._team.roles[index]
        return policy.actor.step(policy.inputs(raw), player.memories[index])[0]

    def _words_only(self, speaker: int, odds: Reals) -> Reals:
        """Return the distribution over words, whomever they are for, given that something is said."""
        num = len(self._plan.addresses(speaker))
        words: Reals = odds[:, : self._plan.words * num].reshape(len(odds), num, self._plan.words).sum(1)
        return np.asarray(words / np.maximum(words.sum(1, keepdims=True), 1e-12))
