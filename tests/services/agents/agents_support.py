"""Small tasks, a channel and networks for the tests of `agents`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Generator

from tutelage.services.agents.channel import Words
from tutelage.services.agents.environments.base import (
    About,
    Actions,
    AgentSpaces,
    Booleans,
    Continuous,
    Discrete,
    Floats,
    Observation,
    Step,
)
from tutelage.services.agents.environments.randomness import generator_state, restored_generator


def generators(*seeds: int) -> list[Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


class Pointing:
    """A guide sees which of three places is right and can only speak; two walkers choose one each. Episodes of 4 steps.

    The first walker may never choose place 2 and the second sits out odd steps, so that every mask is there.
    """

    def __init__(self, *, num: int, seed: int, walker: Discrete | Continuous | None = None) -> None:
        self.num = num
        self._random = np.random.default_rng(seed)
        space = walker or Discrete(num=3)
        self.about = About(
            id="Pointing-v0",
            version="1",
            agents=(
                AgentSpaces(name="guide", observation=3, action=None),
                AgentSpaces(name="walker_0", observation=2, action=space),
                AgentSpaces(name="walker_1", observation=2, action=space),
            ),
            max_steps=4,
            success="both are right at the last step",
        )
        self._goal, self._time = np.zeros(num, dtype=np.int64), 0

    def reset(self) -> Observation:
        self._goal, self._time = self._random.integers(3, size=self.num), 0
        return self._observation()

    def step(self, actions: Actions) -> Step:
        chosen = [np.asarray(action).reshape(self.num, -1)[:, 0] for action in actions[1:]]
        right = np.stack([each == self._goal for each in chosen], 1)
        self._time += 1
        over = self._time >= 4
        last = self._observation() if over else None
        observation = self.reset() if over else self._observation()
        ended = np.full(self.num, over)
        return Step(
            observation=observation,
            rewards=np.repeat(right.mean(1, dtype=np.float32)[:, None], 3, 1),
            terminated=np.zeros(self.num, dtype=bool),
            truncated=ended,
            succeeded=right.all(1),
            last=last,
        )

    def state_dict(self) -> dict[str, Any]:
        return {"goal": self._goal.copy(), "time": self._time, "random": generator_state(self._random)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._goal, self._time = np.array(state["goal"]), int(state["time"])
        self._random = restored_generator(state["random"])

    def scene(self, copy: int) -> dict[str, Any]:
        return {"bounds": [0, 0, 1, 1], "shapes": []}

    def close(self) -> None:
        pass

    def _observation(self) -> Observation:
        own = np.full((self.num, 2), self._time / 4, dtype=np.float32)
        plays = np.ones((self.num, 3), dtype=bool)
        plays[:, 2] = self._time % 2 == 0
        legal = np.ones((self.num, 3), dtype=bool)
        legal[:, 2] = False
        is_choice = isinstance(self.about.agents[1].action, Discrete)
        return Observation(
            seen=(np.eye(3, dtype=np.float32)[self._goal], own, own.copy()),
            plays=plays,
            allowed=(None, legal, None) if is_choice else None,
        )


class Radio:
    """What the guide says, both walkers hear."""

    symbols = (3, 0, 0)
    widths = (0, 3, 3)

    def deliver(self, words: Words, observation: Observation) -> tuple[Floats, ...]:
        said = words[0]
        assert said is not None
        heard = np.where((said >= 0)[:, None], np.eye(3, dtype=np.float32)[said], 0.0).astype(np.float32)
        return np.zeros((len(said), 0), dtype=np.float32), heard, heard.copy()

    def forget(self, ended: Booleans) -> None:
        pass

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        pass
