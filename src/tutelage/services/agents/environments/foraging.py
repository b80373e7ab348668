"""Level-based foraging (Albrecht & Ramamoorthy 2013; Papoudakis et al. 2021), with the rules of lbforaging 2.0.

Agents and food have levels; those beside a food that load in the same step take it if their levels add up to its own.
"""

from __future__ import annotations

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
    Entities,
    Floats,
    Observation,
    Reference,
)
from tutelage.services.agents.environments.vectorized import (
    HARDEST,
    VectorizedTask,
    at_least,
    changed,
    fraction,
    remapping,
)

MOVES = np.array([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1], [0, 0]])
"""None, north, south, west, east, load, as (row, column)."""

LOAD = 5
MAX_STEPS = 50
MAX_LEVEL = 2
REFERENCES = {
    "random": Reference(value=0.1026, how="mean over agents of the return of evenly drawn actions, 20,000 episodes"),
    "oracle": Reference(value=0.5, how="an upper bound: all food taken, which is worth 1 to both agents together"),
}


class Foraging(VectorizedTask):
    """`force_coop`: every food needs the levels of all agents (three at most) together.

    Easier: food of lower levels: at 0 any agent can take any food alone. What is seen are lbforaging's numbers, each
    position divided by the size and each level by the highest, so that all lie from 0 to 1; taken food is zeros.
    """

    STATE = ("food", "food_level", "position", "level", "spawned")

    def __init__(
        self,
        num: int,
        *,
        seed: int,
        size: int = 8,
        num_agents: int = 2,
        num_food: int = 2,
        force_coop: bool = False,
        max_steps: int = MAX_STEPS,
        difficulty: float = HARDEST,
        action_map: Sequence[int] | None = None,
    ) -> None:
        super().__init__(num, seed=seed)
        self.size = at_least("size", size, 5, most=20)
        self.num_agents = at_least("num_agents", num_agents, 2, most=8)
        self.num_food = self.num_goals = at_least("num_food", num_food, 1, most=min(4, ((size - 2) // 3) ** 2))
        self.force_coop = force_coop
        self.difficulty = fraction("difficulty", difficulty)
        self.action_map = remapping(action_map, len(MOVES))
        measured = (8, 2, 2, False, MAX_STEPS, HARDEST, None)
        given = (size, num_agents, num_food, force_coop, max_steps, difficulty, action_map)
        about = _about(num_agents, num_food, at_least("max_steps", max_steps, 1))
        self.about = changed(about, given != measured)
        self.food = np.zeros((num, num_food, 2), np.int64)
        self.food_level = np.zeros((num, num_food), np.int64)
        self.position = np.zeros((num, num_agents, 2), np.int64)
        self.level = np.ones((num, num_agents), np.int64)
        self.spawned = np.ones(num)
        """The sum of levels of all food at the beginning: the whole return of an episode is 1."""
        self._order = np.array([[a, *(b for b in range(num_agents) if b != a)] for a in range(num_agents)])

    def begin(self, which: Booleans) -> None:
        """Draw agents with levels 1 or 2, and food within the rim, no two within reach of one agent."""
        count = int(which.sum())
        self.level[which] = self.rng.integers(1, MAX_LEVEL + 1, size=(count, self.num_agents))
        self.position[which], self.food[which] = self._draw_places(count)
        highest = np.sort(self.level[which], 1)[:, :3].sum(1)
        top = np.maximum(1, np.rint(self.difficulty * highest)).astype(np.int64)[:, None]
        drawn = 1 + (self.rng.random((count, self.num_food)) * top).astype(np.int64)
        self.food_level[which] = np.where(self.force_coop, top, drawn)
        self.spawned[which] = self.food_level[which].sum(1)

    def advance(self, actions: Actions) -> tuple[NDArray[np.float64], Booleans, Booleans]:
        """Move those whose cell nobody else wants, then load."""
        action = self.action_map[np.stack([np.asarray(each) for each in actions], 1)]
        beside = np.abs(self.food[:, None] - self.position[:, :, None]).sum(-1) == 1
        beside &= (self.food_level > 0)[:, None]
        action = np.where((action == LOAD) & ~beside.any(2), 0, action)
        self._move(action)
        rewards = self._load((action == LOAD)[..., None] & beside)
        empty: Booleans = (self.food_level == 0).all(1)
        return rewards, empty, empty

    def observe(self) -> Observation:
        """Food (row, column, level each), then the agents likewise, oneself first."""
        food = np.concatenate([self.food / self.size, (self.food_level / (3 * MAX_LEVEL))[..., None]], 2)
        food = np.where((self.food_level > 0)[..., None], food, 0).reshape(self.num, -1)
        agents = np.concatenate([self.position / self.size, (self.level / MAX_LEVEL)[..., None]], 2)
        parts = (agents[:, order].reshape(self.num, -1) for order in self._order)
        return Observation(seen=tuple(np.concatenate([food, part], 1).astype(np.float32) for part in parts))

    def scene(self, copy: int) -> dict[str, Any]:
        """Draw the food that is left and the agents, each with its level."""
        shapes = [
            scenes.box(column, self.size - 1 - row, 1, 1, color="green", label=str(level))
            for (row, column), level in zip(self.food[copy], self.food_level[copy], strict=True)
            if level
        ]
        shapes += [
            scenes.circle(column + 0.5, self.size - 0.5 - row, 0.4, color="blue", label=str(level))
            for (row, column), level in zip(self.position[copy], self.level[copy], strict=True)
        ]
        return scenes.scene(*shapes, bounds=(0, 0, self.size, self.size))

    def goal_distances(self) -> Floats:
        """Return how many cells each agent has to walk to each food, in sizes of the field; 0: it is taken."""
        cells = np.abs(self.position[:, :, None] - self.food[:, None]).sum(3) / self.size
        return np.where((self.food_level > 0)[:, None], cells, 0).astype(np.float32)

    def goal_line(self, copy: int, agent: int, goal: int) -> tuple[float, float, float, float] | None:
        """Return the line from an agent to a food that is left."""
        if not self.food_level[copy, goal]:
            return None
        (row, column), (to_row, to_column) = self.position[copy, agent], self.food[copy, goal]
        top = self.size - 0.5
        return column + 0.5, top - row, to_column + 0.5, top - to_row

    def _move(self, action: NDArray[np.int64]) -> None:
        wanted = self.position + MOVES[action]
        outside = ((wanted < 0) | (wanted >= self.size)).any(2)
        on_food = ((wanted[:, :, None] == self.food[:, None]).all(3) & (self.food_level > 0)[:, None]).any(2)
        wanted = np.where((outside | on_food)[..., None], self.position, wanted)
        num_wanting = (wanted[:, :, None] == wanted[:, None]).all(3).sum(2)
        self.position = np.where((num_wanting == 1)[..., None], wanted, self.position)

    def _load(self, loading: Booleans) -> NDArray[np.float64]:
        """Take the food whose loaders (B, agents, food) are strong enough; share its level by theirs."""
        strength = (loading * self.level[..., None]).sum(1)
        taken = (strength >= self.food_level) & (strength > 0)
        share = loading * self.level[..., None] * self.food_level[:, None] * taken[:, None]
        rewards: NDArray[np.float64] = (share / np.maximum(strength, 1)[:, None]).sum(2) / self.spawned[:, None]
        self.food_level = np.where(taken, 0, self.food_level)
        return rewards

    def _draw_places(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Draw cells for agents (count, A, 2) and food (count, F, 2), anew where some have no room."""
        agents = np.zeros((count, self.num_agents, 2), np.int64)
        food = np.zeros((count, self.num_food, 2), np.int64)
        left = np.ones(count, bool)
        while left.any():
            at = np.flatnonzero(left)
            agents[at] = self._cells(len(at), self.num_agents, rim=0)
            food[at] = self._cells(len(at), self.num_food, rim=1)
            left[at] = ~self._has_room(agents[at], food[at])
        return agents, food

    def _cells(self, count: int, number: int, *, rim: int) -> NDArray[np.int64]:
        return self.rng.integers(rim, self.size - rim, size=(count, number, 2))

    def _has_room(self, agents: NDArray[np.int64], food: NDArray[np.int64]) -> Booleans:
        both = np.concatenate([agents, food], 1)
        same = (both[:, :, None] == both[:, None]).all(3).sum((1, 2)) == both.shape[1]
        apart = np.abs(food[:, :, None] - food[:, None])
        near = (apart.max(3) <= 1) | ((apart.sum(3) <= 2) & (apart.min(3) == 0))
        roomy: Booleans = same & (near.sum((1, 2)) == self.num_food)
        return roomy


def _about(num_agents: int, num_food: int, max_steps: int) -> About:
    things = num_food + num_agents
    agents = tuple(
        AgentSpaces(
            name=f"forager_{agent}",
            observation=3 * things,
            action=Discrete(num=len(MOVES)),
            entities=Entities(start=0, num=things, size=3),
        )
        for agent in range(num_agents)
    )
    return About(
        id="foraging",
        version="1",
        agents=agents,
        max_steps=max_steps,
        success="all food is taken within the time limit",
        references=REFERENCES,
    )
