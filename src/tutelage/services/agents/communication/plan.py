"""What can be said on a link, to whom, and what a hearer sees of it: the plan that a channel follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tutelage.core.errors import InvalidSpec
from tutelage.services.agents.config.channel import ChannelOptions, Protocol
from tutelage.services.agents.environments.base import Entities, Floats, Integers, Link

NOTHING = -1
"""In an inbox: no word arrived."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Whom a message is for: one hearer, or all of them where `hearer` is None."""

    hearer: int | None


@dataclass(frozen=True, kw_only=True)
class ChannelPlan:
    """A link with the protocols and options it is used by. One *choice* of a speaker is a word and its address."""

    link: Link
    num_agents: int
    protocols: tuple[Protocol, ...] = ("direct", "broadcast")
    options: ChannelOptions = field(default_factory=ChannelOptions)

    def __post_init__(self) -> None:
        if not self.protocols:
            raise InvalidSpec(
                "a channel needs a protocol, got none", hint='communication_protocols: ["broadcast"] or ["direct"]'
            )
        agents = set(self.link.speakers) | set(self.link.hearers)
        assert agents <= set(range(self.num_agents)), "a link names agents of its task"

    @property
    def words(self) -> int:
        """How many words there are."""
        return self.link.words

    @cached_property
    def silence(self) -> bool:
        """Whether a speaker may choose to say nothing: where messages are rationed."""
        return self.options.budget is not None

    def speaks(self, agent: int) -> bool:
        """Whether an agent ever speaks: somebody else must hear it."""
        return agent in self.link.speakers and bool(self._others(self.link.hearers, agent))

    def hears(self, agent: int) -> bool:
        """Whether an agent ever hears: somebody else must speak."""
        return agent in self.link.hearers and bool(self.sources(agent))

    def sources(self, agent: int) -> tuple[int, ...]:
        """Return whom an agent may hear: all other speakers, and itself where it hears its echo."""
        others = self._others(self.link.speakers, agent)
        has_echo = self.options.echo and agent in self.link.speakers and agent in self.link.hearers and bool(others)
        return tuple(sorted((*others, agent))) if has_echo else others

    def addresses(self, agent: int) -> tuple[Address, ...]:
        """Return whom an agent may speak to. With one hearer both protocols are the same, and there is one address."""
        hearers = self._others(self.link.hearers, agent)
        to_all = [Address(hearer=None)] if "broadcast" in self.protocols or len(hearers) == 1 else []
        to_one = [Address(hearer=hearer) for hearer in hearers] if "direct" in self.protocols else []
        return tuple(to_all if len(hearers) == 1 else to_all + to_one)

    def choices(self, agent: int) -> int:
        """Return what an agent chooses among each step: words x addresses, and silence where allowed; 0: it is mute."""
        if not self.speaks(agent):
            return 0
        return self.words * len(self.addresses(agent)) + int(self.silence)

    def hearing(self, agent: int) -> int:
        """Return how many numbers the channel appends to an agent's observation."""
        if not self.hears(agent):
            return 0
        return self.words * (len(self.sources(agent)) if self.options.reading == "each" else 1)

    def entities(self, agent: int, start: int) -> Entities | None:
        """Return the heard words as things to attend to, where each has a place of its own."""
        if self.options.reading == "mean" or not self.hears(agent):
            return None
        return Entities(start=start, num=len(self.sources(agent)), size=self.words)

    def decode(self, agent: int, chosen: Integers) -> tuple[Integers, Integers]:
        """Return the words (B,) of choices (B,) and the index of their address; NOTHING for both where it is silent."""
        is_said = (chosen >= 0) & (chosen < self.words * len(self.addresses(agent)))
        word, address = chosen % self.words, chosen // self.words
        return np.where(is_said, word, NOTHING), np.where(is_said, address, NOTHING)

    def read(self, agent: int, inbox: Integers) -> Floats:
        """Return what an agent sees (B, hearing) of the words (B, sources) in its inbox."""
        if not self.hears(agent):
            return np.zeros((len(inbox), 0), np.float32)
        # NOTHING, -1, picks the last row, whose one stands in the column that is left out.
        one_hot: Floats = np.eye(self.words + 1, dtype=np.float32)[inbox][..., : self.words]
        if self.options.reading == "each":
            return one_hot.reshape(len(inbox), -1)
        num_heard = np.maximum((inbox != NOTHING).sum(1, keepdims=True), 1)
        mean: Floats = (one_hot.sum(1) / num_heard).astype(np.float32)
        return mean

    def bits(self, agent: int) -> float:
        """Return the bits that one message of an agent can carry, its address included."""
        return float(np.log2(self.words * len(self.addresses(agent)))) if self.speaks(agent) else 0.0

    @staticmethod
    def _others(agents: Sequence[int], agent: int) -> tuple[int, ...]:
        return tuple(other for other in sorted(agents) if other != agent)
