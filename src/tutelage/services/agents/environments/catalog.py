"""Names of environments -> where they are built: known without any library, so that a spec is checked at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An environment of our own. `build(num, seed, **kwargs)` returns it with `num` copies.

    `widest` is the largest (observation, outputs) of its agents where that is fixed: the size of an actor is then
    checked when the spec is submitted, otherwise once the environment is built.
    """

    build: str
    about: str
    widest: tuple[int, int] | None = None


ENVIRONMENTS: Mapping[str, Entry] = {
    "CartPole-v1": Entry(
        build="tutelage.services.agents.environments.cartpole:CartPole",
        about="keep a pole upright on a cart for 500 steps; equals Gymnasium's",
        widest=(4, 2),
    ),
    "Acrobot-v1": Entry(
        build="tutelage.services.agents.environments.acrobot:Acrobot",
        about="swing a two-link arm above a line; equals Gymnasium's",
        widest=(6, 3),
    ),
}
"""Our own environments by id; a name of Gymnasium's or PettingZoo's is built by `FALLBACKS`."""

FALLBACKS: tuple[str, ...] = ()
"""Builders tried in order for an id that is not ours: `build(id, num, seed, **kwargs) -> environment or None`."""
