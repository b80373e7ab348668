"""Acrobot-v1 in batches: the book's equations as in Gymnasium's, integrated by fourth-order Runge-Kutta in float64."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.services.agents.environments.base import About, Actions, AgentSpaces, Discrete, Observation, Step
from tutelage.services.agents.environments.randomness import generator_state, restored_generator
from tutelage.services.agents.environments.scenes import circle, line, scene

GRAVITY, STEP_S = 9.8, 0.2
MAX_SPEEDS = np.array([[4 * math.pi], [9 * math.pi]])
MAX_STEPS = 500
ABOUT = About(
    id="Acrobot-v1",
    version="gymnasium 1",
    agents=(AgentSpaces(name="agent", observation=6, action=Discrete(num=3)),),
    max_steps=MAX_STEPS,
    success=f"the tip above the line within {MAX_STEPS} steps",
)
Array = NDArray[np.float64]


class Acrobot:
    """Copies of a two-link arm driven at its second joint (Sutton 1996); state: two angles, two angular speeds.

    Links of mass 1, length 1, moment 1, their centres of mass in the middle.
    """

    about = ABOUT

    def __init__(self, *, num: int, seed: int) -> None:
        self.num = num
        self._random = np.random.default_rng(seed)
        self._state = np.zeros((4, num))
        self._steps = np.zeros(num, dtype=np.int64)

    def reset(self) -> Observation:
        """Begin anew in every copy."""
        self._begin(np.ones(self.num, dtype=bool))
        return self._observation()

    def step(self, actions: Actions) -> Step:
        """Apply a torque of -1, 0 or 1 (actions 0, 1, 2) at the second joint."""
        chosen = actions[0]
        assert chosen is not None, "the agent acts"
        self._state = moved(self._state, chosen - 1.0)
        self._steps += 1
        first, second = self._state[0], self._state[1]
        high = -np.cos(first) - np.cos(second + first) > 1.0
        late = (self._steps >= MAX_STEPS) & ~high
        ended = high | late
        last = self._observation() if ended.any() else None
        if last is not None:
            self._begin(ended)
        return Step(
            observation=self._observation(),
            rewards=np.where(high, 0.0, -1.0).astype(np.float32)[:, None],
            terminated=high,
            truncated=late,
            succeeded=high,
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
        """Draw the line to reach and the two links."""
        first, second = float(self._state[0, copy]), float(self._state[1, copy])
        elbow = math.sin(first), -math.cos(first)
        tip = elbow[0] + math.sin(first + second), elbow[1] - math.cos(first + second)
        return scene(
            line(-2.2, 1, 2.2, 1),
            line(0, 0, *elbow, color="blue"),
            line(*elbow, *tip, color="blue"),
            circle(0, 0, 0.08, color="amber"),
            circle(*elbow, 0.08, color="amber"),
            bounds=(-2.2, -2.2, 2.2, 2.2),
        )

    def close(self) -> None:
        """Nothing is held."""

    def _begin(self, ended: NDArray[np.bool_]) -> None:
        # Gymnasium keeps a fresh state in float32: the same numbers begin here.
        drawn = self._random.uniform(-0.1, 0.1, (int(ended.sum()), 4)).astype(np.float32)
        self._state[:, ended] = drawn.T
        self._steps[ended] = 0

    def _observation(self) -> Observation:
        angles = self._state[:2]
        seen = np.empty((self.num, 6), dtype=np.float32)
        seen[:, (0, 2)], seen[:, (1, 3)], seen[:, 4:] = np.cos(angles).T, np.sin(angles).T, self._state[2:].T
        return Observation(seen=(seen,))


def moved(state: Array, torque: Array) -> Array:
    """Return the states (4, B) one step later, angles wrapped to [-pi, pi] and speeds bounded."""
    half = STEP_S / 2.0
    k1 = change(state, torque)
    k2 = change(state + half * k1, torque)
    k3 = change(state + half * k2, torque)
    k4 = change(state + STEP_S * k3, torque)
    state = state + STEP_S / 6.0 * (k1 + 2 * k2 + 2 * k3 + k4)
    angles = state[:2]
    while (above := angles > math.pi).any():
        angles[above] -= 2 * math.pi
    while (below := angles < -math.pi).any():
        angles[below] += 2 * math.pi
    np.clip(state[2:], -MAX_SPEEDS, MAX_SPEEDS, out=state[2:])
    return state


def change(state: Array, torque: Array) -> Array:
    """Return the time derivative of the states (4, B): the book's equations (Sutton and Barto 2018, section 11.1)."""
    first, second, first_speed, second_speed = state
    cosine, sine = np.cos(second), np.sin(second)
    d1 = 1.0 * 0.25 + (1.0 + 0.25 + cosine) + 1.0 + 1.0
    d2 = 0.25 + 0.5 * cosine + 1.0
    phi2 = 0.5 * GRAVITY * np.cos(first + second - math.pi / 2.0)
    phi1 = (
        -0.5 * second_speed**2 * sine
        - second_speed * first_speed * sine
        + 1.5 * GRAVITY * np.cos(first - math.pi / 2)
        + phi2
    )
    ratio = d2 / d1
    second_change = (torque + ratio * phi1 - 0.5 * first_speed**2 * sine - phi2) / (1.25 - d2**2 / d1)
    first_change = -(d2 * second_change + phi1) / d1
    return np.stack((first_speed, second_speed, first_change, second_change))
