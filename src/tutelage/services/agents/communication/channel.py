"""The channel at work: it takes what agents say and brings it, a step later, to those who hear it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.services.agents.communication.interventions import AS_SAID, Intervention
from tutelage.services.agents.communication.plan import NOTHING, ChannelPlan
from tutelage.services.agents.environments.base import Booleans, Floats, Integers, Observation
from tutelage.services.agents.environments.randomness import generator_state, restored_generator

Words = Sequence[Integers | None]
"""One array (B,) an agent: the symbol it chose, NOTHING where it could not speak; None for one that never speaks."""


@dataclass(kw_only=True)
class Traffic:
    """What a channel carried so far."""

    steps: int = 0
    """Steps of single copies."""
    messages: int = 0
    """Words that were said, whether or not they arrived."""
    bits: float = 0.0
    """What those messages could carry at most."""
    lost: int = 0
    """Words that were dropped on their way."""

    def as_dict(self) -> dict[str, float]:
        """Return the counts by name."""
        return {"steps": self.steps, "messages": self.messages, "bits": self.bits, "lost": self.lost}


class WordChannel:
    """Carries words among the agents of B copies. Each has an inbox of the words said to it in the step before.

    A symbol is a word and its address (see `ChannelPlan.decode`), or silence where messages are rationed.
    """

    def __init__(self, plan: ChannelPlan, num: int, *, seed: int, intervention: Intervention = AS_SAID) -> None:
        agents = range(plan.num_agents)
        self.plan = plan
        self.num = num
        self.symbols = tuple(plan.choices(agent) for agent in agents)
        self.widths = tuple(plan.hearing(agent) for agent in agents)
        self.traffic = Traffic()
        self._intervention = intervention
        self._random = np.random.default_rng(seed)
        self._sent = np.zeros((num, plan.num_agents), np.int64)
        self.inboxes = self._empty()

    def deliver(self, words: Words, observation: Observation) -> tuple[Floats, ...]:
        """Return what each agent hears with the coming `observation`, (B, hearing) each, of the symbols just chosen."""
        inboxes = self._empty()
        self.traffic.steps += self.num
        for speaker, chosen in enumerate(words):
            if chosen is None or not self.plan.speaks(speaker):
                continue
            said, addresses = self._say(speaker, chosen)
            for hearer in self.plan.link.hearers:
                if speaker in (sources := self.plan.sources(hearer)):
                    slot = sources.index(speaker)
                    inboxes[hearer][:, slot] = self._deliver(speaker, hearer, said, addresses, observation)
        self.inboxes = self._intervention(inboxes, self._random)
        return self.hear()

    def hear(self) -> tuple[Floats, ...]:
        """Return what each agent hears now, (B, hearing) each."""
        return tuple(self.plan.read(agent, inbox) for agent, inbox in enumerate(self.inboxes))

    def forget(self, ended: Booleans) -> None:
        """Empty the inboxes of copies (B,) that began anew, and give their agents a new budget."""
        self._sent[ended] = 0
        for inbox in self.inboxes:
            inbox[ended] = NOTHING

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next steps depend on."""
        return {
            "inboxes": [inbox.copy() for inbox in self.inboxes],
            "sent": self._sent.copy(),
            "random": generator_state(self._random),
            "traffic": self.traffic.as_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self.inboxes = [np.array(inbox) for inbox in state["inboxes"]]
        self._sent = np.array(state["sent"])
        self._random = restored_generator(state["random"])
        self.traffic = Traffic(**state["traffic"])

    def _empty(self) -> list[Integers]:
        sizes = [len(self.plan.sources(agent)) for agent in range(self.plan.num_agents)]
        return [np.full((self.num, size), NOTHING, np.int64) for size in sizes]

    def _say(self, speaker: int, chosen: Integers) -> tuple[Integers, Integers]:
        """Return the words and addresses that a speaker really sends: its budget may be spent."""
        words, addresses = self.plan.decode(speaker, chosen)
        is_said = words != NOTHING
        if self.plan.options.budget is not None:
            is_said &= self._sent[:, speaker] < self.plan.options.budget
        self._sent[:, speaker] += is_said
        self.traffic.messages += int(is_said.sum())
        self.traffic.bits += float(is_said.sum()) * self.plan.bits(speaker)
        return np.where(is_said, words, NOTHING), addresses

    def _deliver(
        self, speaker: int, hearer: int, words: Integers, addresses: Integers, follows: Observation
    ) -> Integers:
        to = [address.hearer for address in self.plan.addresses(speaker)]
        reaches = np.array([one is None or one == hearer or hearer == speaker for one in to])[addresses]
        arrived = np.where(reaches, words, NOTHING)
        if self.plan.options.noise > 0.0 and self.plan.words > 1:
            arrived = self._garbled(arrived)
        if self.plan.options.drop > 0.0:
            is_lost = (self._random.random(self.num) < self.plan.options.drop) & (arrived != NOTHING)
            self.traffic.lost += int(is_lost.sum())
            arrived = np.where(is_lost, NOTHING, arrived)
        if follows.hears is not None:
            arrived = np.where(follows.hears[:, hearer], arrived, NOTHING)
        return arrived

    def _garbled(self, words: Integers) -> Integers:
        """Return words of which some became another one, each of the others alike."""
        shift = self._random.integers(1, self.plan.words, self.num)
        is_garbled = (self._random.random(self.num) < self.plan.options.noise) & (words != NOTHING)
        return np.where(is_garbled, (words + shift) % self.plan.words, words)
