"""Cover all landmarks without bumping: MPE's simple_spread (Lowe et al. 2017), equal to mpe2 1.1.1 step for step.

A common reward and no channel: what is to be learnt is who goes where.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.services.agents.environments import particles
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

SIZE = 0.15
NEAR = 0.2
REFERENCES = {
    "oracle": Reference(
        value=-8.74,
        how="mean return of scripted agents that see all and take the assignment with the least sum of distances,"
        " 20,000 episodes, success 0.98",
    ),
    "random": Reference(value=-26.38, how="mean return of evenly drawn moves, 20,000 episodes"),
}


class SimpleSpread(VectorizedTask):
    """`num_agents` discs and as many landmarks; `damping` and `action_map` change the dynamics.

    The reward of each is half the common one (minus the sum over landmarks of the nearest agent's distance) and half
    its own (-1 for each disc it touches), as `local_ratio` 0.5 of mpe2.
    """

    STATE = ("landmarks", "position", "velocity")

    def __init__(
        self,
        num: int,
        *,
        seed: int,
        num_agents: int = 3,
        difficulty: float = HARDEST,
        damping: float = particles.DAMPING,
        action_map: Sequence[int] | None = None,
    ) -> None:
        super().__init__(num, seed=seed)
        self.num_agents = self.num_goals = at_least("num_agents", num_agents, 2, most=8)
        self.difficulty = fraction("difficulty", difficulty)
        self.damping = particles.checked_damping(damping)
        self.action_map = remapping(action_map, particles.NUM_MOVES)
        is_slower = damping != particles.DAMPING
        self.about = changed(_about(num_agents), difficulty < HARDEST, is_slower, action_map is not None)
        self.landmarks = np.zeros((num, num_agents, 2))
        self.position = np.zeros((num, num_agents, 2))
        self.velocity = np.zeros((num, num_agents, 2))
        self._others = np.array([[b for b in range(num_agents) if b != a] for a in range(num_agents)])

    def begin(self, which: Booleans) -> None:
        """Draw positions within the square of half-width 1; where it is easier, each agent nearer a landmark."""
        count = int(which.sum())
        shape = (count, self.num_agents, 2)
        self.position[which] = self.rng.uniform(-1, 1, shape)
        self.landmarks[which] = self.rng.uniform(-1, 1, shape)
        self.velocity[which] = 0
        if self.difficulty < HARDEST:
            landmarks = self.landmarks[which]
            self.position[which] = landmarks + self.difficulty * (self.position[which] - landmarks)

    def advance(self, actions: Actions) -> tuple[NDArray[np.float64], Booleans, Booleans]:
        """Push the agents and let them bump."""
        moves = self.action_map[np.stack([np.asarray(action) for action in actions], 1)]
        force = particles.contact(self.position, particles.MOVES[moves] * particles.SENSITIVITY, reach=2 * SIZE)
        self.position, self.velocity = particles.integrate(self.position, self.velocity, force, damping=self.damping)
        nearest = particles.length(self.position[:, :, None] - self.landmarks[:, None]).min(1)
        common = np.zeros(self.num)
        for landmark in range(self.num_agents):  # one after the other: the order of mpe2's sum
            common -= nearest[:, landmark]
        rewards = common[:, None] * 0.5 + self._bumps() * 0.5
        return rewards, np.zeros(self.num, bool), (nearest < NEAR).all(1)

    def observe(self) -> Observation:
        """Velocity (2), position (2), landmarks and then the others relative to oneself, then mpe2's unused zeros."""
        relative = self.landmarks[:, None] - self.position[:, :, None]
        others = self.position[:, self._others] - self.position[:, :, None]
        unused = np.zeros((self.num, self.num_agents, 2 * (self.num_agents - 1)))
        flat = (self.num, self.num_agents, -1)
        parts = [self.velocity, self.position, relative.reshape(flat), others.reshape(flat), unused]
        seen = np.concatenate(parts, 2).astype(np.float32)
        return Observation(seen=tuple(np.ascontiguousarray(seen[:, agent]) for agent in range(self.num_agents)))

    def scene(self, copy: int) -> dict[str, Any]:
        """Draw the landmarks in grey and the agents."""
        return particles.draw(
            self.landmarks[copy],
            self.position[copy],
            agent_colors=["blue"] * self.num_agents,
            labels=[str(agent) for agent in range(self.num_agents)],
        )

    def goal_distances(self) -> Floats:
        """Return how far each agent is from each landmark."""
        return particles.length(self.position[:, :, None] - self.landmarks[:, None]).astype(np.float32)

    def goal_line(self, copy: int, agent: int, goal: int) -> tuple[float, float, float, float]:
        """Return the line from an agent to a landmark."""
        (x, y), (to_x, to_y) = self.position[copy, agent], self.landmarks[copy, goal]
        return x, y, to_x, to_y

    def _bumps(self) -> NDArray[np.float64]:
        apart = particles.length(self.position[:, :, None] - self.position[:, None])
        touching = (apart < 2 * SIZE).sum(2) - 1
        penalty: NDArray[np.float64] = -touching.astype(float)
        return penalty


def _about(num_agents: int) -> About:
    size = 4 + 2 * num_agents + 4 * (num_agents - 1)
    spaces = (
        AgentSpaces(
            name=f"agent_{agent}",
            observation=size,
            action=Discrete(num=particles.NUM_MOVES),
            entities=Entities(start=4, num=2 * num_agents - 1, size=2),
        )
        for agent in range(num_agents)
    )
    return About(
        id="simple_spread",
        version="1",
        agents=tuple(spaces),
        max_steps=particles.MAX_STEPS,
        success=f"every landmark has an agent within {NEAR} at the end",
        references=REFERENCES if num_agents == 3 else {},
    )
