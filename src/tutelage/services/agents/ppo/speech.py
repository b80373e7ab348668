"""The channels of several seeds, used together; nothing where agents do not speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tutelage.services.agents.channel import Channel
from tutelage.services.agents.environments.base import About, Booleans, Floats, Integers, Observation
from tutelage.services.agents.environments.fleet import part_of


class Speech:
    """One channel a seed; words and what is heard have a leading axis of seeds (S, B, ...)."""

    def __init__(self, about: About, channels: Sequence[Channel], *, num_copies: int, num_seeds: int) -> None:
        self._channels = tuple(channels)
        num = len(about.agents)
        self.symbols = channels[0].symbols if channels else (0,) * num
        self.widths = channels[0].widths if channels else (0,) * num
        self._shape = (num_seeds, num_copies)

    def silence(self) -> tuple[Floats | None, ...]:
        """Return what is heard before anybody spoke: zeros."""
        return tuple(np.zeros((*self._shape, width), dtype=np.float32) if width else None for width in self.widths)

    def deliver(self, words: Sequence[Integers | None], observation: Observation) -> tuple[Floats | None, ...]:
        """Return what each agent hears with the coming observation."""
        if not self._channels:
            return self.silence()
        heard = [
            channel.deliver(tuple(None if word is None else word[index] for word in words), part_of(observation, index))
            for index, channel in enumerate(self._channels)
        ]
        return tuple(
            np.stack([each[agent] for each in heard]) if width else None for agent, width in enumerate(self.widths)
        )

    def forget(self, ended: Booleans) -> None:
        """Drop what is under way in copies (S, B) that have begun anew."""
        for index, channel in enumerate(self._channels):
            channel.forget(ended[index])

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every channel."""
        return {"channels": [channel.state_dict() for channel in self._channels]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        for channel, own in zip(self._channels, state["channels"], strict=True):
            channel.load_state_dict(own)
