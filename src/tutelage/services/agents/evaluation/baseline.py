"""What acting at random earns: the return that every policy is held against."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.services.agents.environments.base import Actions, AgentSpaces, Discrete, Observation
from tutelage.services.agents.environments.fleet import Fleet


def random_return(fleet: Fleet, *, seed: int) -> float:
    """Return the mean return of one episode in each copy with legal actions drawn evenly; nobody speaks."""
    draw = np.random.default_rng(seed)
    observation = fleet.reset()
    shape = (fleet.num_seeds, fleet.num)
    returns, plays = np.zeros(shape), np.ones(shape, dtype=bool)
    while plays.any():
        step = fleet.step(random_actions(fleet.about.agents, observation, shape, draw))
        returns += step.rewards.mean(-1) * plays
        plays &= ~(step.terminated | step.truncated)
        observation = step.observation
    return float(returns.mean())


def random_actions(
    agents: tuple[AgentSpaces, ...], observation: Observation, shape: tuple[int, int], draw: np.random.Generator
) -> Actions:
    """Return actions (S, B, ...) drawn evenly from those that are legal."""
    return tuple(_of_agent(index, agent, observation, shape, draw) for index, agent in enumerate(agents))


def _of_agent(
    index: int, agent: AgentSpaces, observation: Observation, shape: tuple[int, int], draw: np.random.Generator
) -> NDArray[Any] | None:
    space = agent.action
    if space is None:
        return None
    if not isinstance(space, Discrete):
        return draw.uniform(space.low, space.high, (*shape, len(space.low))).astype(np.float32)
    scores = draw.random((*shape, space.num))
    allowed = observation.allowed[index] if observation.allowed else None
    if allowed is not None:
        scores[~allowed] = -1.0
    chosen: NDArray[np.int64] = scores.argmax(-1)
    return chosen
