"""One speaks, one walks: MPE's simple_speaker_listener (Lowe et al. 2017), equal to mpe2 1.1.1 step for step.

Only the speaker sees which of three landmarks is meant; only the listener can move. Its word reaches the listener by
the channel, one step later, as the last three of mpe2's eleven numbers; the listener itself sees the first eight.
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

GOAL_COLORS = np.array([[0.65, 0.15, 0.15], [0.15, 0.65, 0.15], [0.15, 0.15, 0.65]], np.float32)
NUM_LANDMARKS = 3
NEAR = 0.2
ABOUT = About(
    id="speaker_listener",
    version="1",
    agents=(
        AgentSpaces(name="speaker", observation=3, action=None),
        AgentSpaces(
            name="listener",
            observation=8,
            action=Discrete(num=particles.NUM_MOVES),
            entities=Entities(start=2, num=NUM_LANDMARKS, size=2),
        ),
    ),
    max_steps=particles.MAX_STEPS,
    success=f"the listener ends within {NEAR} of the goal",
    link=Link(words=3, speakers=(0,), hearers=(1,)),
    references={
        "oracle": Reference(
            value=-7.46, how="mean return of a scripted listener that knows the goal, 20,000 episodes, success 1.0"
        ),
        "random": Reference(value=-39.74, how="mean return of evenly drawn moves, 20,000 episodes"),
        "no_channel": Reference(
            value=-15.66,
            how="mean return of a listener that walks to the mean of the landmarks, which has the least expected"
            " squared distance to one of them drawn evenly; 20,000 episodes",
        ),
    },
)


class SpeakerListener(VectorizedTask):
    """`damping`, `action_map` and `goal_shift` change it; the last shows a goal in the colour of one that many on."""

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
        self.position = np.zeros((num, 2))
        self.velocity = np.zeros((num, 2))
        self.goal = np.zeros(num, np.int64)

    def begin(self, which: Booleans) -> None:
        """Draw positions within the square of half-width 1, the listener's nearer to its centre where it is easier."""
        count = int(which.sum())
        self.goal[which] = self.rng.integers(NUM_LANDMARKS, size=count)
        self.position[which] = self.rng.uniform(-1, 1, (count, 2))
        self.landmarks[which] = self.rng.uniform(-1, 1, (count, NUM_LANDMARKS, 2))
        self.velocity[which] = 0
        if self.difficulty < HARDEST:
            self._come_nearer(which)

    def advance(self, actions: Actions) -> tuple[NDArray[np.float64], Booleans, Booleans]:
        """Move the listener; both earn minus its squared distance to the goal."""
        assert actions[1] is not None
        force = particles.MOVES[self.action_map[actions[1]]] * particles.SENSITIVITY
        self.position, self.velocity = particles.integrate(self.position, self.velocity, force, damping=self.damping)
        squared = particles.squared_length(self.position - self.target)
        rewards = np.repeat(-squared[:, None], 2, axis=1)
        return rewards, np.zeros(self.num, bool), np.sqrt(squared) < NEAR

    @property
    def target(self) -> NDArray[np.float64]:
        """Where the listener should go, (B, 2)."""
        return self.landmarks[np.arange(self.num), self.goal]

    def observe(self) -> Observation:
        """The speaker: the goal's colour (3). The listener: velocity (2), landmarks relative to it (3 x 2)."""
        relative = (self.landmarks - self.position[:, None]).reshape(self.num, -1)
        shown = GOAL_COLORS[(self.goal + self.goal_shift) % NUM_LANDMARKS]
        return Observation(seen=(shown, np.concatenate([self.velocity, relative], 1).astype(np.float32)))

    def scene(self, copy: int) -> dict[str, Any]:
        """Draw the landmarks, and the listener in the goal's colour."""
        return particles.draw(
            self.landmarks[copy],
            self.position[copy][None],
            agent_colors=[particles.COLORS[self.goal[copy]]],
            labels=["listener"],
        )

    def _come_nearer(self, which: Booleans) -> None:
        """Begin at a share of the way from the goal: at difficulty 0 on it."""
        target = self.target[which]
        self.position[which] = target + self.difficulty * (self.position[which] - target)
