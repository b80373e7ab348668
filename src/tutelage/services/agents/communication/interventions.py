"""What an examination does to a channel: cut it, or let each copy hear what was said in another one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tutelage.services.agents.communication.plan import NOTHING
from tutelage.services.agents.environments.base import Integers

Intervention = Callable[[list[Integers], np.random.Generator], list[Integers]]
"""Takes the inboxes (B, sources) of all agents as they were filled, and returns those they shall have."""


def as_said(inboxes: list[Integers], random: np.random.Generator) -> list[Integers]:
    """Leave all words as they are."""
    return inboxes


def cut(inboxes: list[Integers], random: np.random.Generator) -> list[Integers]:
    """Let nobody hear anything."""
    return [np.full_like(inbox, NOTHING) for inbox in inboxes]


def shuffled(inboxes: list[Integers], random: np.random.Generator) -> list[Integers]:
    """Bring the words of another episode of the same step: as frequent as before, of no meaning here."""
    order = _derangement(max((len(inbox) for inbox in inboxes), default=0), random)
    return [inbox[order] for inbox in inboxes]


def _derangement(num: int, random: np.random.Generator) -> Integers:
    """Return an order of copies in which none keeps its place: a random cycle through all of them."""
    cycle = random.permutation(num)
    order = np.empty(num, np.int64)
    order[cycle] = np.roll(cycle, 1)
    return order


AS_SAID = as_said
INTERVENTIONS: dict[str, Intervention] = {"as_said": as_said, "cut": cut, "shuffled": shuffled}
