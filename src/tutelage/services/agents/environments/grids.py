"""Grid worlds of one agent that turns and walks, as in Minigrid 3.2 (Chevalier-Boisvert et al. 2023).

The agent sees the 7 x 7 cells before it as far as walls and shut doors let it, in the form of Minigrid's
partial view, each cell as one of the kinds its task has; and its direction. Codes of cells are our own, and dense.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
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
    Floats,
    Integers,
    Observation,
    Reference,
)
from tutelage.services.agents.environments.vectorized import VectorizedTask, one_hot, remapping

UNSEEN, EMPTY, WALL, GOAL, KEY, LOCKED, OPEN, SHUT = range(8)
LEFT, RIGHT, FORWARD, PICK_UP, DROP, TOGGLE, DONE = range(7)
VIEW = 7
HALF = VIEW // 2
DIRECTIONS = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
"""Right, down, left, up, as (x, y); y grows downwards in the grid."""

COLORS = {WALL: "grey", GOAL: "green", KEY: "amber", LOCKED: "red", OPEN: "amber", SHUT: "amber"}
Codes = NDArray[np.int8]


class GridTask(VectorizedTask):
    """One agent in a grid of cells: `grid` is (B, x, y) with a rim of walls as wide as the view reaches.

    Rewards are Minigrid's: 1 - 0.9 x steps / max_steps on reaching the goal, else 0. `action_map` remaps the actions.
    """

    STATE = ("grid", "position", "direction", "carrying")
    KINDS: tuple[int, ...]
    """The codes that are told apart in what is seen; an unseen cell is all zeros."""

    def __init__(
        self, num: int, *, seed: int, size: int, num_actions: int, action_map: Sequence[int] | None = None
    ) -> None:
        super().__init__(num, seed=seed)
        self.size = size
        self.action_map = remapping(action_map, num_actions)
        self._span = size + 2 * VIEW
        self.grid: Codes = np.full((num, self._span, self._span), WALL, np.int8)
        self.position = np.full((num, 2), VIEW)
        self.direction = np.zeros(num, np.int64)
        self.carrying = np.zeros(num, bool)
        self._rows = np.arange(num)
        self._table = _encoding(self.KINDS)
        self._steps = _view_steps(self._span)

    @property
    def inside(self) -> Codes:
        """The grid without its rim, (B, size, size), as a view to write to."""
        return self.grid[:, VIEW:-VIEW, VIEW:-VIEW]

    def ahead(self) -> tuple[Integers, Integers]:
        """Return x and y of the cell before the agent, (B,) each, rim included."""
        front = self.position + DIRECTIONS[self.direction]
        return front[:, 0], front[:, 1]

    def advance(self, actions: Actions) -> tuple[NDArray[np.float64], Booleans, Booleans]:
        """Turn, walk or act; reaching the goal ends the episode."""
        action = self.action_map[np.asarray(actions[0])]
        x, y = self.ahead()
        front = self.grid[self._rows, x, y]
        self.direction = (self.direction + (action == RIGHT) - (action == LEFT)) % 4
        walks = (action == FORWARD) & ((front == EMPTY) | (front == GOAL) | (front == OPEN))
        self.position = np.where(walks[:, None], np.stack([x, y], 1), self.position)
        self.act(action, front, x, y)
        reached = walks & (front == GOAL)
        reward = np.where(reached, 1 - 0.9 * (self.elapsed + 1) / self.about.max_steps, 0.0)
        return reward[:, None], reached, reached

    def act(self, action: Integers, front: Codes, x: Integers, y: Integers) -> None:
        """Handle what is done to the cell ahead; in a task without objects nothing."""
        return

    def observe(self) -> Observation:
        """The 7 x 7 cells in sight, one-hot by kind, then the direction (4)."""
        cells = self._table[self.view()].reshape(self.num, -1)
        return Observation(seen=(np.concatenate([cells, one_hot(self.direction, 4)], 1),))

    def view(self) -> Codes:
        """Return the codes of the cells in sight (B, 7, 7): columns from left to right, rows from far to near."""
        at = self.position[:, 0] * self._span + self.position[:, 1]
        flat = self.grid.reshape(self.num, -1)
        cells = np.take_along_axis(flat, at[:, None] + self._steps[self.direction], 1).reshape(-1, VIEW, VIEW)
        visible = _visible((cells != WALL) & (cells != LOCKED) & (cells != SHUT))
        view: Codes = np.where(visible, cells, UNSEEN).astype(np.int8)
        view[:, HALF, VIEW - 1] = np.where(self.carrying, KEY, EMPTY)
        return view

    def place(self, which: Booleans, free: Booleans) -> tuple[Integers, Integers]:
        """Draw one cell for each copy of `which`, evenly among its `free` cells (count, size, size)."""
        weight = self.rng.random(free.shape) * free
        x, y = np.unravel_index(weight.reshape(len(free), -1).argmax(1), free.shape[1:])
        return x, y

    def stand(self, which: Booleans, x: Integers, y: Integers) -> None:
        """Put the agents of `which` at a cell, in a drawn direction, with empty hands."""
        self.position[which] = np.stack([x, y], 1) + VIEW
        self.direction[which] = self.rng.integers(4, size=len(x))
        self.carrying[which] = False

    def scene(self, copy: int) -> dict[str, Any]:
        """Draw the cells that are not empty, and the agent with a line where it looks."""
        cells = self.inside[copy]
        shapes = [
            scenes.box(int(x), self.size - 1 - int(y), 1, 1, color=COLORS[int(cells[x, y])])
            for x, y in np.argwhere(cells != EMPTY)
        ]
        x, y = (float(value) + 0.5 for value in self.position[copy] - VIEW)
        dx, dy = DIRECTIONS[self.direction[copy]] * 0.5
        agent = scenes.circle(x, self.size - y, 0.35, color="blue", label="key" if self.carrying[copy] else "")
        look = scenes.line(x, self.size - y, x + dx, self.size - y - dy, color="blue")
        return scenes.scene(*shapes, agent, look, bounds=(0, 0, self.size, self.size))

    @abstractmethod
    def begin(self, which: Booleans) -> None:
        """Draw a new grid for the copies of `which`."""


def describe(name: str, *, kinds: int, actions: int, max_steps: int, references: dict[str, Reference]) -> About:
    """Return the facts of a grid task."""
    sees = VIEW * VIEW * kinds + 4
    return About(
        id=name,
        version="1",
        agents=(AgentSpaces(name="agent", observation=sees, action=Discrete(num=actions)),),
        max_steps=max_steps,
        success="the goal is reached within the time limit",
        references=references,
    )


def _encoding(kinds: tuple[int, ...]) -> Floats:
    table = np.zeros((8, len(kinds)), np.float32)
    for place, kind in enumerate(kinds):
        table[kind, place] = 1
    return table


def _view_steps(span: int) -> Integers:
    """Return, for each direction, the flat offsets (4, 49) of the cells in view from the agent's own."""
    column, row = np.meshgrid(np.arange(VIEW), np.arange(VIEW), indexing="ij")
    steps = []
    for dx, dy in DIRECTIONS:
        far, right = VIEW - 1 - row, column - HALF
        steps.append(((far * dx - right * dy) * span + far * dy + right * dx).reshape(-1))
    return np.stack(steps)


def _sweeps() -> tuple[Integers, Integers]:
    """Return what one row of sight passes on, by (seen from behind, clear), 7 bits each: itself, and the row ahead.

    Minigrid's `process_vis`: light spreads from clear cells in sight to the right, then to the left, and from each
    step to the row ahead of both cells.
    """
    seen, clear = np.divmod(np.arange(2 ** (2 * VIEW)), 2**VIEW)
    ahead = np.zeros_like(seen)
    for here, beside in [(i, i + 1) for i in range(VIEW - 1)] + [(i, i - 1) for i in range(VIEW - 1, 0, -1)]:
        passes = (seen >> here) & (clear >> here) & 1
        seen |= passes << beside
        ahead |= (passes << beside) | (passes << here)
    return seen, ahead


SWEPT, AHEAD = _sweeps()
BITS = 1 << np.arange(VIEW)


def _visible(clear: Booleans) -> Booleans:
    """Return which cells (B, 7, 7) the agent at the near row's middle sees, where light passes `clear` cells only."""
    passing = np.einsum("bij,i->jb", clear, BITS)
    rows = np.zeros_like(passing)
    rows[VIEW - 1] = 1 << HALF
    for row in reversed(range(VIEW)):
        index = (rows[row] << VIEW) | passing[row]
        rows[row] = SWEPT[index]
        if row:
            rows[row - 1] = AHEAD[index]
    seen: Booleans = ((rows.T[:, None, :] >> np.arange(VIEW)[None, :, None]) & 1).astype(bool)
    return seen
