"""The switch riddle (Foerster et al. 2016, section 6.1): one light, n prisoners, one visitor of the room a day.

The visitor hears the state that the last visitor left the switch in, leaves it in a state of its own (the word), and
may tell that all have been here: +1 for all if so, -1 if not; 0 where the days run out. As in the paper there are
4n - 6 days. Whether a prisoner has been in the room before, and whether this is the first day, is part of what it sees,
so that a reactive policy can solve the riddle; in the paper a recurrent network keeps it. As there, no clock is seen:
agents that are shown the day learn to tell on the last one, and no switch is needed for that.
"""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.services.agents.environments import scenes
from tutelage.services.agents.environments.base import (
    About,
    Actions,
    AgentSpaces,
    Booleans,
    Discrete,
    Link,
    Observation,
    Reference,
)
from tutelage.services.agents.environments.vectorized import VectorizedTask, at_least

NOTHING, TELL = 0, 1
NO_CHANNEL = {3: 0.535, 4: 0.5717}
RANDOM = {3: -0.812, 4: -0.944}


class SwitchRiddle(VectorizedTask):
    """`num_prisoners` 3 or 4. A return divided by the oracle's is the paper's normalised one; solved is 1.0."""

    STATE = ("visitor", "visited")

    def __init__(self, num: int, *, seed: int, num_prisoners: int = 3) -> None:
        super().__init__(num, seed=seed)
        self.num_prisoners = at_least("num_prisoners", num_prisoners, 3, most=4)
        self.about = _about(num_prisoners)
        self.visitor = np.zeros(num, np.int64)
        self.visited = np.zeros((num, num_prisoners), bool)
        """Who has been in the room on an earlier day."""

    def begin(self, which: Booleans) -> None:
        """Nobody has been there; draw the first day's visitor."""
        self.visited[which] = False
        self.visitor[which] = self.rng.integers(self.num_prisoners, size=int(which.sum()))

    def advance(self, actions: Actions) -> tuple[NDArray[np.float64], Booleans, Booleans]:
        """Take the visitor's action, then draw the next day's visitor. The last day is an end: nothing follows."""
        rows = np.arange(self.num)
        chosen = np.stack([np.asarray(action) for action in actions], 1)[rows, self.visitor]
        self.visited[rows, self.visitor] = True
        told, is_true = chosen == TELL, self.visited.all(1)
        is_last = self.elapsed + 1 >= self.about.max_steps
        reward = np.where(told, np.where(is_true, 1.0, -1.0), 0.0)
        self.visitor = self.rng.integers(self.num_prisoners, size=self.num)
        return np.repeat(reward[:, None], self.num_prisoners, axis=1), told | is_last, told & is_true

    def observe(self) -> Observation:
        """Each sees: in the room now, has been there before, first day."""
        inside = self.visitor[:, None] == np.arange(self.num_prisoners)
        first = np.broadcast_to((self.elapsed == 0)[:, None], inside.shape)
        seen = np.stack([inside, self.visited, first], 2).astype(np.float32)
        may = np.stack([np.ones_like(inside), inside], 2)
        agents = range(self.num_prisoners)
        return Observation(
            seen=tuple(np.ascontiguousarray(seen[:, agent]) for agent in agents),
            plays=inside,
            speaks=inside,
            hears=inside,
            allowed=tuple(np.ascontiguousarray(may[:, agent]) for agent in agents),
        )

    def scene(self, copy: int) -> dict[str, Any]:
        """Draw the prisoners, green where they have been in the room, the visitor under the lamp's box."""
        shapes = [scenes.box(-0.5 + float(self.visitor[copy]), -0.5, 1, 1.4, color="amber", label="room")]
        for agent in range(self.num_prisoners):
            color = "green" if self.visited[copy, agent] else "grey"
            shapes.append(scenes.circle(agent, 0, 0.3, color=color, label=str(agent)))
        day = scenes.text(0, -0.9, f"day {int(self.elapsed[copy]) + 1} of {self.about.max_steps}")
        return scenes.scene(*shapes, day, bounds=(-1, -1.2, self.num_prisoners, 1.2))


def chance_of_all(days: int, prisoners: int) -> float:
    """Return the probability that all have been drawn after so many days, by inclusion and exclusion."""
    chances = [(-1) ** k * comb(prisoners, k) * (1 - k / prisoners) ** days for k in range(prisoners + 1)]
    return float(sum(chances))


def _about(num_prisoners: int) -> About:
    days = 4 * num_prisoners - 6
    names = range(num_prisoners)
    every = tuple(names)
    return About(
        id="switch_riddle",
        version="2",
        agents=tuple(AgentSpaces(name=f"prisoner_{name}", observation=3, action=Discrete(num=2)) for name in names),
        max_steps=days,
        success="a visitor tells, and all have been in the room",
        link=Link(words=2, speakers=every, hearers=every),
        references={
            "oracle": Reference(
                value=round(chance_of_all(days, num_prisoners), 4),
                how=f"exact: the chance that all are drawn within {days} days, told at once",
            ),
            "random": Reference(
                value=RANDOM[num_prisoners], how="mean return of visitors that tell half of the time, 200,000 episodes"
            ),
            "no_channel": Reference(
                value=NO_CHANNEL[num_prisoners],
                how="best responses in turn over all histories of one's own visits, by agents that count the days,"
                " exact over all sequences of visitors: the best found from 200 starts (3 prisoners) or 6 (4)",
            ),
        },
    )
