"""CartPole-v1 in batches: the equations of Gymnasium's, in the same order of operations, in float64."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tutelage.core.errors import InvalidSpec
from tutelage.services.agents.environments.base import About, Actions, AgentSpaces, Discrete, Observation, Step
from tutelage.services.agents.environments.randomness import generator_state, restored_generator
from tutelage.services.agents.environments.scenes import box, line, scene

GRAVITY, CART_MASS, POLE_MASS, HALF_LENGTH = 9.8, 1.0, 0.1, 0.5
FORCE, STEP_S = 10.0, 0.02
MAX_ANGLE, MAX_PLACE = 12 * 2 * math.pi / 360, 2.4
MAX_STEPS = 500
ABOUT = About(
    id="CartPole-v1",
    version="gymnasium 1",
    agents=(AgentSpaces(name="agent", observation=4, action=Discrete(num=2)),),
    max_steps=MAX_STEPS,
    success=f"all {MAX_STEPS} steps survived",
)


class CartPole:
    """Copies of a pole on a cart (Barto, Sutton and Anderson 1983); state: place, speed, angle, angular speed.

    `gravity` (m/s^2), `masscart` and `masspole` (kg), `length` (half the pole's, m) and `force_mag` (N) are Gymnasium's
    attributes of these names: a change of dynamics to adapt to. Raises InvalidSpec for one that is not above 0.
    """

    about = ABOUT

    def __init__(
        self,
        *,
        num: int,
        seed: int,
        gravity: float = GRAVITY,
        masscart: float = CART_MASS,
        masspole: float = POLE_MASS,
        length: float = HALF_LENGTH,
        force_mag: float = FORCE,
    ) -> None:
        self.num = num
        self._gravity = _positive("gravity", gravity)
        self._pole_mass = _positive("masspole", masspole)
        self._total_mass = self._pole_mass + _positive("masscart", masscart)
        self._half_length = _positive("length", length)
        self._pole_moment = self._pole_mass * self._half_length
        self._force = _positive("force_mag", force_mag)
        self._random = np.random.default_rng(seed)
        self._state = np.zeros((4, num))
        self._steps = np.zeros(num, dtype=np.int64)

    def reset(self) -> Observation:
        """Begin anew in every copy."""
        self._begin(np.ones(self.num, dtype=bool))
        return self._observation()

    def step(self, actions: Actions) -> Step:
        """Push every cart to the left (0) or to the right (1)."""
        chosen = actions[0]
        assert chosen is not None, "the agent acts"
        self._move(np.where(chosen == 1, self._force, -self._force))
        self._steps += 1
        place, _, angle, _ = self._state
        fell = (np.abs(place) > MAX_PLACE) | (np.abs(angle) > MAX_ANGLE)
        late = self._steps >= MAX_STEPS
        ended = fell | late
        last = self._observation() if ended.any() else None
        if last is not None:
            self._begin(ended)
        return Step(
            observation=self._observation(),
            rewards=np.ones((self.num, 1), dtype=np.float32),
            terminated=fell,
            truncated=late & ~fell,
            succeeded=late,
            last=last,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return states, steps and the generator."""
        return {"state": self._state.copy(), "steps": self._steps.copy(), "random": generator_state(self._random)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self._state, self._steps = np.array(state["state"]), np.array(state["steps"])
        self._random = restored_generator(state["random"])

    def scene(self, copy: int) -> dict[str, Any]:
        """Draw the cart and the pole."""
        place, _, angle, _ = (float(value) for value in self._state[:, copy])
        tip = place + 2 * self._half_length * math.sin(angle), 2 * self._half_length * math.cos(angle)
        return scene(
            line(-MAX_PLACE, 0, MAX_PLACE, 0),
            box(place - 0.25, -0.15, 0.5, 0.3, color="blue"),
            line(place, 0, *tip, color="amber"),
            bounds=(-MAX_PLACE, -0.6, MAX_PLACE, 0.4 + 2 * self._half_length),
        )

    def close(self) -> None:
        """Nothing is held."""

    def _move(self, force: np.ndarray[Any, Any]) -> None:
        _, speed, angle, turning = self._state
        cosine, sine = np.cos(angle), np.sin(angle)
        pushed = (force + self._pole_moment * np.square(turning) * sine) / self._total_mass
        turned = (self._gravity * sine - cosine * pushed) / (
            self._half_length * (4.0 / 3.0 - self._pole_mass * np.square(cosine) / self._total_mass)
        )
        moved = pushed - self._pole_moment * turned * cosine / self._total_mass
        self._state = self._state + STEP_S * np.stack((speed, moved, turning, turned))

    def _begin(self, ended: np.ndarray[Any, Any]) -> None:
        drawn = self._random.uniform(-0.05, 0.05, (int(ended.sum()), 4))
        self._state[:, ended] = drawn.T
        self._steps[ended] = 0

    def _observation(self) -> Observation:
        return Observation(seen=(self._state.T.astype(np.float32, order="C"),))


def _positive(name: str, value: float) -> float:
    if not 0.0 < value < math.inf:
        raise InvalidSpec(f"{name} must be above 0 and finite, got {value}", hint="Gymnasium's stand in its source")
    return float(value)
