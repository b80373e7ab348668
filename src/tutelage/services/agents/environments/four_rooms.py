"""Find the goal in four rooms (Sutton et al. 1999), equal to Minigrid's `MiniGrid-FourRooms-v0` step for step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tutelage.services.agents.environments import grids
from tutelage.services.agents.environments.base import Booleans, Integers, Reference
from tutelage.services.agents.environments.grids import EMPTY, GOAL, WALL, GridTask
from tutelage.services.agents.environments.vectorized import HARDEST, at_least, changed, fraction

SIZE = 19
MIDDLE = SIZE // 2
REFERENCES = {
    "random": Reference(value=0.0376, how="mean return of evenly drawn actions, 20,000 episodes"),
    "oracle": Reference(value=0.8534, how="mean return of the shortest ways, by search in 2,000 drawn grids"),
}


class FourRooms(GridTask):
    """Actions: turn left, turn right, forward. Easier: the agent begins nearer the goal.

    At difficulty d it begins among the free cells within d of the largest distance (in steps along an axis each,
    walls not counted), at least next to the goal.
    """

    KINDS = (EMPTY, WALL, GOAL)

    def __init__(
        self,
        num: int,
        *,
        seed: int,
        max_steps: int = 100,
        difficulty: float = HARDEST,
        action_map: Sequence[int] | None = None,
    ) -> None:
        super().__init__(num, seed=seed, size=SIZE, num_actions=3, action_map=action_map)
        self.difficulty = fraction("difficulty", difficulty)
        self.about = grids.describe(
            "four_rooms",
            kinds=len(self.KINDS),
            actions=3,
            max_steps=at_least("max_steps", max_steps, 1),
            references=REFERENCES,
        )
        self.about = changed(self.about, max_steps != 100, difficulty < HARDEST, action_map is not None)
        self.inside[:] = _walls()

    def begin(self, which: Booleans) -> None:
        """Draw the four gaps, the agent and the goal."""
        count = int(which.sum())
        cells = np.broadcast_to(_walls(), (count, SIZE, SIZE)).copy()
        rows, gap = np.arange(count), self.rng.integers(MIDDLE - 1, size=(4, count))
        cells[rows, MIDDLE, 1 + gap[0]] = EMPTY
        cells[rows, MIDDLE, MIDDLE + 1 + gap[1]] = EMPTY
        cells[rows, 1 + gap[2], MIDDLE] = EMPTY
        cells[rows, MIDDLE + 1 + gap[3], MIDDLE] = EMPTY
        goal = self.place(which, cells == EMPTY)
        cells[rows, goal[0], goal[1]] = GOAL
        self.stand(which, *self.place(which, self._near(goal) & (cells == EMPTY)))
        self.inside[which] = cells

    def _near(self, goal: tuple[Integers, Integers]) -> Booleans:
        if self.difficulty == HARDEST:
            return np.ones((len(goal[0]), SIZE, SIZE), bool)
        axis = np.arange(SIZE)
        apart = np.abs(axis[None, :, None] - goal[0][:, None, None]) + np.abs(axis - goal[1][:, None, None])
        near: Booleans = apart <= max(2.0, self.difficulty * 2 * (SIZE - 3))
        return near


def _walls() -> grids.Codes:
    """Return the grid without gaps, (19, 19)."""
    cells = np.full((SIZE, SIZE), EMPTY, np.int8)
    for line in (0, MIDDLE, SIZE - 1):
        cells[line, :] = cells[:, line] = WALL
    return cells
