"""The port of a channel: what agents may say, and what the others hear of it one step later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tutelage.services.agents.environments.base import Booleans, Floats, Integers, Observation

Words = tuple[Integers | None, ...]
"""One array (B,) an agent: the symbol it said, -1 where it kept silent; None for an agent that cannot speak."""


class Channel(Protocol):
    """Carries words between the agents of B copies; its randomness (noise, drops) is its own."""

    symbols: tuple[int, ...]
    """How many symbols each agent chooses from, 0 for one that cannot speak. A symbol may name word and hearer."""
    widths: tuple[int, ...]
    """How many numbers each agent hears, appended to its observation; 0 for one that cannot hear."""

    def deliver(self, words: Words, observation: Observation) -> tuple[Floats, ...]:
        """Return what each agent hears with the coming `observation`: (B, widths[a])."""

    def forget(self, ended: Booleans) -> None:
        """Drop what is under way in copies (B,) that have begun anew."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next deliveries depend on."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
