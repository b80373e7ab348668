"""The physics and the shapes of particle worlds, as in MPE (Lowe et al. 2017; mpe2 1.1.1, `_mpe_utils/core.py`).

A point of mass 1 moves by its velocity, is slowed by damping, then pushed. All sums keep mpe2's order, so that
positions and rewards are equal to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.core.errors import InvalidSpec
from tutelage.services.agents.environments import scenes

Points = NDArray[np.float64]

DT_S = 0.1
DAMPING = 0.25
SENSITIVITY = 5.0
MAX_STEPS = 25
NUM_MOVES = 5
MOVES = np.array([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]], float)
"""Stay, left, right, down, up."""

CONTACT_FORCE, CONTACT_MARGIN = 100.0, 1e-3
COLORS = ("red", "green", "blue")
BOUNDS = (-1.5, -1.5, 1.5, 1.5)


def checked_damping(damping: float) -> float:
    """Return the share of its velocity that a particle loses a step. Raises InvalidSpec outside [0, 1)."""
    if not 0.0 <= damping < 1.0:
        raise InvalidSpec(
            f"damping must be from 0 to below 1, got {damping}", hint="0.25 is MPE's; it is a share a step"
        )
    return float(damping)


def integrate(position: Points, velocity: Points, force: Points, *, damping: float) -> tuple[Points, Points]:
    """Return position and velocity one step later; all (..., 2)."""
    return position + velocity * DT_S, velocity * (1 - damping) + force * DT_S


def contact(position: Points, force: Points, *, reach: float) -> Points:
    """Return the forces (B, A, 2) with those of soft contacts added: discs whose centres are nearer than `reach`."""
    force = force.copy()
    for a in range(position.shape[1]):
        for b in range(a + 1, position.shape[1]):
            delta = position[:, a] - position[:, b]
            distance = length(delta)
            penetration = np.logaddexp(0, -(distance - reach) / CONTACT_MARGIN) * CONTACT_MARGIN
            push = CONTACT_FORCE * delta / distance[:, None] * penetration[:, None]
            force[:, a] += push
            force[:, b] += -push
    return force


def length(delta: Points) -> Points:
    """Return the Euclidean length over the last axis."""
    squared = np.square(delta)
    distance: Points = np.sqrt(squared[..., 0] + squared[..., 1])
    return distance


def squared_length(delta: Points) -> Points:
    """Return the squared length over the last axis."""
    squared = np.square(delta)
    total: Points = squared[..., 0] + squared[..., 1]
    return total


def draw(landmarks: Points, agents: Points, *, agent_colors: list[str], labels: list[str]) -> dict[str, Any]:
    """Return the scene of one copy: landmarks (L, 2) as small discs, agents (A, 2) above them."""
    names = COLORS if len(landmarks) == len(COLORS) else ("grey",) * len(landmarks)
    return scenes.scene(
        *(scenes.circle(x, y, 0.05, color=color) for (x, y), color in zip(landmarks, names, strict=True)),
        *(
            scenes.circle(x, y, 0.1, color=color, label=label)
            for (x, y), color, label in zip(agents, agent_colors, labels, strict=True)
        ),
        bounds=BOUNDS,
    )
