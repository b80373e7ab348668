"""Each knows the other's goal: MPE's simple_reference (Lowe et al. 2017), equal to mpe2 1.1.1 step for step.

Two agents walk and speak at once. A word reaches the other by the channel one step later, as the last ten of mpe2's
21 numbers; an agent itself sees the first eleven.
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
    Link,
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

GOAL_COLORS = np.array([[0.75, 0.25, 0.25], [0.25, 0.75, 0.25], [0.25, 0.25, 0.75]])
NUM_LANDMARKS = 3
WORDS = 10
NEAR = 0.2
OTHER = np.array([1, 0])
ABOUT = About(
    id="simple_reference",
    version="1",
    agents=tuple(
        AgentSpaces(
            name=f"agent_{agent}",
            observation=11,
            action=Discrete(num=particles.NUM_MOVES),
            entities=Entities(start=2, num=NUM_LANDMARKS, size=2),
        )
        for agent in range(2)
    ),
    max_steps=particles.MAX_STEPS,
    success=f"both agents end within {NEAR} of their goals",
    link=Link(words=WORDS, speakers=(0, 1), hearers=(0, 1)),
    references={
        "oracle": Reference(
            value=-8.45, how="mean return of scripted agents that know their goals, 20,000 episodes, success 1.0"
        ),
        "random": Reference(value=-28.28, how="mean return of evenly drawn moves, 20,000 episodes"),
        "no_channel": Reference(
            value=-17.07,
            how="mean return of agents that walk to the geometric median of the landmarks, which has the least expected"
            " distance to one of them drawn evenly; 20,000 episodes",
        ),
    },
)


class SimpleReference(VectorizedTask):
    """`damping`, `action_map` and `goal_shift` (each sees the colour of the goal that many further) change it.

    `goal[:, a]` is the landmark that agent a knows of and the other one must reach.
    """

    STATE = ("landmarks", "position", "velocity", "goal")

    def __init__(
        self,
        num: int,
        *,
        seed: int,
        difficulty: float = HARDEST,
        damping: float = particles.DAMPING,
        action_map: Sequence[int] | None = None,
        goal_shift: int = 0,
    ) -> None:
        super().__init__(num, seed=seed)
        self.difficulty = fraction("difficulty", difficulty)
        self.damping = particles.checked_damping(damping)
        self.action_map = remapping(action_map, particles.NUM_MOVES)
        self.goal_shift = at_least("goal_shift", goal_shift, 0, most=NUM_LANDMARKS - 1)
        is_slower = damping != particles.DAMPING
        self.about = changed(ABOUT, difficulty < HARDEST, is_slower, action_map is not None, goal_shift > 0)
        self.landmarks = np.zeros((num, NUM_LANDMARKS, 2))
        self.position = np.zeros((num, 2, 2))
        self.velocity = np.zeros((num, 2, 2))
        self.goal = np.zeros((num, 2), np.int64)

    def begin(self, which: Booleans) -> None:
        """Draw positions within the square of half-width 1; where it is easier, each agent nearer its own goal."""
        count = int(which.sum())
        self.goal[which] = self.rng.integers(NUM_LANDMARKS, size=(count, 2))
        self.position[which] = self.rng.uniform(-1, 1, (count, 2, 2))
        self.landmarks[which] = self.rng.uniform(-1, 1, (count, NUM_LANDMARKS, 2))
        self.velocity[which] = 0
        if self.difficulty < HARDEST:
            targets = self.targets[which]
            self.position[which] = targets + self.difficulty * (self.position[which] - targets)

    @property
    def targets(self) -> NDArray[np.float64]:
        """Where each agent should go, (B, 2, 2)."""
        return self.landmarks[np.arange(self.num)[:, None], self.goal[:, OTHER]]

    def advance(self, actions: Actions) -> tuple[NDArray[np.float64], Booleans, Booleans]:
        """Move both; each earns half the mean of both distances and half the distance of the one it can help."""
        moves = self.action_map[np.stack([np.asarray(action) for action in actions], 1)]
        self.position, self.velocity = particles.integrate(
            self.position, self.velocity, particles.MOVES[moves] * particles.SENSITIVITY, damping=self.damping
        )
        distance = particles.length(self.position - self.targets)
        own = -distance[:, OTHER]
        common = (own[:, 0] + own[:, 1]) / 2
        arrived: Booleans = np.asarray((distance < NEAR).all(1))
        return common[:, None] * 0.5 + own * 0.5, np.zeros(self.num, bool), arrived

    def observe(self) -> Observation:
        """Velocity (2), landmarks relative to oneself (3 x 2), the colour of the other's goal (3)."""
        relative = (self.landmarks[:, None] - self.position[:, :, None]).reshape(self.num, 2, -1)
        shown = GOAL_COLORS[(self.goal + self.goal_shift) % NUM_LANDMARKS]
        seen = np.concatenate([self.velocity, relative, shown], 2).astype(np.float32)
        return Observation(seen=(np.ascontiguousarray(seen[:, 0]), np.ascontiguousarray(seen[:, 1])))

    def scene(self, copy: int) -> dict[str, Any]:
        """Draw the landmarks, and each agent in the colour of its goal."""
        return particles.draw(
            self.landmarks[copy],
            self.position[copy],
            agent_colors=[particles.COLORS[goal] for goal in self.goal[copy, OTHER]],
            labels=["0", "1"],
        )
