"""Fetch the key, open the door, reach the goal; equal to Minigrid's `MiniGrid-DoorKey` step for step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tutelage.services.agents.environments import grids
from tutelage.services.agents.environments.base import Booleans, Integers, Reference
from tutelage.services.agents.environments.grids import (
    EMPTY,
    GOAL,
    KEY,
    LOCKED,
    OPEN,
    SHUT,
    WALL,
    Codes,
    GridTask,
)
from tutelage.services.agents.environments.vectorized import HARDEST, at_least, changed, fraction

SMALLEST = 5
REFERENCES = {
    5: {
        "random": Reference(value=0.0474, how="mean return of evenly drawn actions, 10,000 episodes"),
        "oracle": Reference(value=0.9647, how="mean return of the shortest ways, by search in 2,000 drawn grids"),
    },
    8: {
        "random": Reference(value=0.012, how="mean return of evenly drawn actions, 5,000 episodes"),
        "oracle": Reference(value=0.9765, how="mean return of the shortest ways, by search in 2,000 drawn grids"),
    },
}


class KeyDoor(GridTask):
    """Actions: turn left, turn right, forward, pick up, drop, toggle. `size` counts the outer walls.

    Easier: a smaller grid, down to 5; `max_steps` stays at 10 x size^2, as Minigrid has it for the whole size.
    """

    KINDS = (EMPTY, WALL, GOAL, KEY, LOCKED, OPEN, SHUT)

    def __init__(
        self,
        num: int,
        *,
        seed: int,
        size: int = 8,
        max_steps: int | None = None,
        difficulty: float = HARDEST,
        action_map: Sequence[int] | None = None,
    ) -> None:
        size = at_least("size", size, SMALLEST, most=32)
        super().__init__(num, seed=seed, size=size, num_actions=6, action_map=action_map)
        self.difficulty = fraction("difficulty", difficulty)
        steps = 10 * size**2 if max_steps is None else at_least("max_steps", max_steps, 1)
        self.about = grids.describe(
            "key_door",
            kinds=len(self.KINDS),
            actions=6,
            max_steps=steps,
            references=REFERENCES.get(size, {}),
        )
        self.about = changed(self.about, max_steps is not None, difficulty < HARDEST, action_map is not None)

    def begin(self, which: Booleans) -> None:
        """Draw the wall, its door, the key and the agent left of it; the goal is in the corner."""
        count, extent = int(which.sum()), SMALLEST + round(self.difficulty * (self.size - SMALLEST))
        rows = np.arange(count)
        cells = np.full((count, self.size, self.size), WALL, np.int8)
        cells[:, 1 : extent - 1, 1 : extent - 1] = EMPTY
        cells[:, extent - 2, extent - 2] = GOAL
        wall = self.rng.integers(2, extent - 2, size=count)
        cells[rows, wall] = WALL
        left = (cells == EMPTY) & (np.arange(self.size)[None, :, None] < wall[:, None, None])
        self.stand(which, *(agent := self.place(which, left)))
        cells[rows, wall, self.rng.integers(1, extent - 2, size=count)] = LOCKED
        left[rows, agent[0], agent[1]] = False
        key = self.place(which, left)
        cells[rows, key[0], key[1]] = KEY
        self.inside[which] = cells

    def act(self, action: Integers, front: Codes, x: Integers, y: Integers) -> None:
        """Pick up and drop the key; open, shut and, with the key in hand, unlock the door."""
        takes = (action == grids.PICK_UP) & (front == KEY) & ~self.carrying
        drops = (action == grids.DROP) & (front == EMPTY) & self.carrying
        toggles = action == grids.TOGGLE
        opens = toggles & ((front == SHUT) | ((front == LOCKED) & self.carrying))
        shuts = toggles & (front == OPEN)
        after = np.select([takes, drops, opens, shuts], [EMPTY, KEY, OPEN, SHUT], front)
        self.grid[self._rows, x, y] = after
        self.carrying = (self.carrying | takes) & ~drops
