"""Names of environments -> where they are built: known without any library, so that a spec is checked at once."""

from __future__ import annotations

import re
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
    "speaker_listener": Entry(
        build="tutelage.services.agents.environments.speaker_listener:SpeakerListener",
        about="one sees the goal and speaks, one walks; equals MPE's simple_speaker_listener",
    ),
    "simple_reference": Entry(
        build="tutelage.services.agents.environments.simple_reference:SimpleReference",
        about="two walk and speak, each knows the other's goal; equals MPE's simple_reference",
    ),
    "simple_spread": Entry(
        build="tutelage.services.agents.environments.simple_spread:SimpleSpread",
        about="a team covers all landmarks without bumping, no channel; equals MPE's simple_spread",
    ),
    "referential_game": Entry(
        build="tutelage.services.agents.environments.referential_game:ReferentialGame",
        about="Lewis's game: the sender speaks of the target, the receiver chooses among candidates",
    ),
    "switch_riddle": Entry(
        build="tutelage.services.agents.environments.switch_riddle:SwitchRiddle",
        about="prisoners tell by one light when all have been in the room (Foerster et al. 2016)",
    ),
    "announcement": Entry(
        build="tutelage.services.agents.environments.orders:Announcement",
        about="a guide has all workers do one thing at once: a broadcast beats direct words",
    ),
    "dispatch": Entry(
        build="tutelage.services.agents.environments.orders:Dispatch",
        about="a guide orders one worker at a time, few words: direct words beat a broadcast",
    ),
    "four_rooms": Entry(
        build="tutelage.services.agents.environments.four_rooms:FourRooms",
        about="find the goal in four rooms; equals Minigrid's FourRooms",
        widest=(151, 3),
    ),
    "key_door": Entry(
        build="tutelage.services.agents.environments.key_door:KeyDoor",
        about="fetch the key, open the door, reach the goal; equals Minigrid's DoorKey",
        widest=(347, 6),
    ),
    "foraging": Entry(
        build="tutelage.services.agents.environments.foraging:Foraging",
        about="agents of different levels gather food together; the rules of lbforaging",
    ),
}
"""Our own environments by id; a name of Gymnasium's or PettingZoo's is built by `FALLBACKS`."""

FALLBACKS: tuple[str, ...] = (
    "tutelage.services.agents.environments.user_class:build",
    "tutelage.services.agents.environments.http:build",
    "tutelage.services.agents.environments.gymnasium:build",
    "tutelage.services.agents.environments.pettingzoo:build",
)
"""Builders tried in order for an id that is not ours: `build(id, num, seed, **kwargs) -> environment or None`."""

INTERACTIVE = ("python:", "http://", "https://")
"""How the ids of a user's own environments begin: a class, or a server."""

PUBLIC = re.compile(r".*-v\d+|(gymnasium|pettingzoo):.+|[A-Za-z_]\w*(\.\w+)+")
"""What ids of Gymnasium's and PettingZoo's look like; whether one exists is known where it is built."""


def is_interactive(name: str) -> bool:
    """Tell whether an id names a user's class or server."""
    return name.startswith(INTERACTIVE)


def may_exist(name: str) -> bool:
    """Tell whether an id is ours, or may be somebody else's."""
    return name in ENVIRONMENTS or is_interactive(name) or PUBLIC.fullmatch(name) is not None
