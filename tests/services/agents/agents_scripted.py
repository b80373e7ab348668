"""Players that know all of a task's state: their mean returns are the references that tasks name."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np

from tutelage.services.agents.environments import particles
from tutelage.services.agents.environments.base import Actions, BatchedEnvironment, Continuous, Discrete

Player = Callable[[Any], Actions]


def mean_return(environment: BatchedEnvironment, player: Player) -> tuple[float, float]:
    """Play one episode in each copy; return the mean over copies and agents, and the share that succeeded."""
    environment.reset()
    going = np.ones(environment.num, bool)
    total, succeeded = np.zeros(environment.num), np.zeros(environment.num, bool)
    while going.any():
        step = environment.step(player(environment))
        total += np.where(going, step.rewards.mean(1), 0)
        ended = going & (step.terminated | step.truncated)
        succeeded |= ended & step.succeeded
        going &= ~ended
    return float(total.mean()), float(succeeded.mean())


def random_player(seed: int) -> Player:
    """Return one that draws evenly among the legal actions."""
    rng = np.random.default_rng(seed)

    def play(environment: BatchedEnvironment) -> Actions:
        return tuple(draw(space.action, environment.num) for space in environment.about.agents)

    def draw(space: Discrete | Continuous | None, num: int) -> Any:
        if space is None:
            return None
        if isinstance(space, Discrete):
            return rng.integers(space.num, size=num)
        return rng.uniform(space.low, space.high, (num, len(space.low))).astype(np.float32)

    return play


def toward(position: Any, velocity: Any, target: Any) -> Any:
    """Return the move against the larger error of where a particle would come to rest: a push carries 0.2."""
    error = target - (position + velocity * particles.DT_S / particles.DAMPING)
    axis = np.abs(error).argmax(-1)
    along = np.take_along_axis(error, axis[..., None], -1)[..., 0]
    return np.where(np.abs(along) < 0.1, 0, 2 * axis + np.where(along > 0, 2, 1))


def assignment(position: Any, landmarks: Any) -> Any:
    """Return the landmark of each agent (B, A) with the least sum of distances."""
    num = position.shape[1]
    distance = particles.length(position[:, :, None] - landmarks[:, None])
    choices = np.array(list(permutations(range(num))))
    return choices[distance[:, np.arange(num), choices].sum(-1).argmin(1)]


def geometric_median(points: Any) -> Any:
    """Return the points (B, 2) with the least mean distance to (B, L, 2), by 50 steps of Weiszfeld."""
    median = points.mean(1)
    for _ in range(50):
        weight = 1 / np.maximum(particles.length(points - median[:, None]), 1e-9)
        median = (points * weight[..., None]).sum(1) / weight.sum(1)[:, None]
    return median


def least_steps(free: Any, cost: Any) -> Any:
    """Return the fewest turns and steps to the states of known `cost` (B, 4, x, y), walking on `free` cells (B, x, y).

    A state is a direction and a cell; 10,000 where there is no way.
    """
    ahead = [(1, -1), (2, -1), (1, 1), (2, 1)]  # where the cell ahead is found: axis and shift of each direction
    while True:
        forward = np.stack([np.roll(cost[:, d], shift, axis) for d, (axis, shift) in enumerate(ahead)], 1)
        enterable = np.stack([np.roll(free, shift, axis) for axis, shift in ahead], 1)
        forward = np.where(enterable, forward, 10_000)
        turned = np.minimum(np.roll(cost, 1, 1), np.roll(cost, -1, 1))
        better = np.minimum(cost, 1 + np.minimum(forward, turned))
        if (better == cost).all():
            return cost
        cost = better


def at_agent(world: Any, cost: Any) -> Any:
    """Return the cost (B,) of the state that each agent of a grid is in."""
    return cost[np.arange(world.num), world.direction, world.position[:, 0], world.position[:, 1]]


def facing(world: Any, kind: int, cost: Any) -> Any:
    """Return 1 + `cost` where a cell of this kind is ahead, else 10,000; (B, 4, x, y)."""
    ahead = [(1, -1), (2, -1), (1, 1), (2, 1)]
    there = np.stack([np.roll(world.grid == kind, shift, axis) for axis, shift in ahead], 1)
    return np.where(there, cost + 1, 10_000)
