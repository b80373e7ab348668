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
    "speaker_listener": Entry(
        build="tutelage.services.agents.environments.speaker_listener:SpeakerListener",
        about="one sees the goal and speaks, the other walks; equals MPE's simple_speaker_listener",
    ),
    "simple_reference": Entry(
        build="tutelage.services.agents.environments.simple_reference:SimpleReference",
        about="two tell each other their goals and walk; equals MPE's",
    ),
    "simple_spread": Entry(
        build="tutelage.services.agents.environments.simple_spread:SimpleSpread",
        about="cover all landmarks without bumping; equals MPE's",
    ),
    "referential_game": Entry(
        build="tutelage.services.agents.environments.referential_game:ReferentialGame",
        about="name an object so that another one finds it (Lewis 1969)",
    ),
    "switch_riddle": Entry(
        build="tutelage.services.agents.environments.switch_riddle:SwitchRiddle",
        about="prisoners, one light, and when all have been in the room (Foerster et al. 2016)",
    ),
    "announcement": Entry(
        build="tutelage.services.agents.environments.orders:Announcement",
        about="all do what one sees: broadcast beats direct words",
    ),
    "dispatch": Entry(
        build="tutelage.services.agents.environments.orders:Dispatch",
        about="one of several does what one sees: direct words beat broadcast",
    ),
    "four_rooms": Entry(
        build="tutelage.services.agents.environments.four_rooms:FourRooms",
        about="find the goal through four rooms; equals Minigrid's",
    ),
    "key_door": Entry(
        build="tutelage.services.agents.environments.key_door:KeyDoor",
        about="fetch the key, open the door, reach the goal; equals Minigrid's",
    ),
    "foraging": Entry(
        build="tutelage.services.agents.environments.foraging:Foraging",
        about="collect food together, by level (Christianos et al. 2020)",
    ),
}
"""Our own environments by id; a name of Gymnasium's or PettingZoo's is built by `FALLBACKS`."""

FALLBACKS: tuple[str, ...] = ()
"""Builders tried in order for an id that is not ours: `build(id, num, seed, **kwargs) -> environment or None`."""
