"""The environments of several seeds, stepped together: arrays get a leading axis of seeds (S, copies, ...)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tutelage.services.agents.environments.base import (
    About,
    Actions,
    BatchedEnvironment,
    Booleans,
    Floats,
    Observation,
    Step,
)


class Fleet:
    """One batched environment a seed, each with randomness of its own: no seed's episodes depend on another's."""

    def __init__(self, environments: Sequence[BatchedEnvironment]) -> None:
        self._environments = tuple(environments)
        self.about: About = environments[0].about
        self.num = environments[0].num

    @property
    def num_seeds(self) -> int:
        """How many seeds are stepped together."""
        return len(self._environments)

    def reset(self) -> Observation:
        """Begin anew everywhere; arrays are (S, copies, ...)."""
        return joined([each.reset() for each in self._environments])

    def step(self, actions: Actions) -> Step:
        """Take one step everywhere; `actions` are (S, copies, ...). `last` is there where any copy ended."""
        parts = [
            each.step(tuple(None if action is None else action[index] for action in actions))
            for index, each in enumerate(self._environments)
        ]
        ended = any(part.last is not None for part in parts)
        return Step(
            observation=joined([part.observation for part in parts]),
            rewards=np.stack([part.rewards for part in parts]),
            terminated=np.stack([part.terminated for part in parts]),
            truncated=np.stack([part.truncated for part in parts]),
            succeeded=np.stack([part.succeeded for part in parts]),
            last=joined([part.last or part.observation for part in parts]) if ended else None,
            shaping=_shaping(parts),
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every environment."""
        return {"environments": [each.state_dict() for each in self._environments]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        for each, own in zip(self._environments, state["environments"], strict=True):
            each.load_state_dict(own)

    def scene(self, copy: int, *, seed_index: int = 0) -> dict[str, Any]:
        """Describe one copy of one seed."""
        return self._environments[seed_index].scene(copy)

    @property
    def environments(self) -> tuple[BatchedEnvironment, ...]:
        """One batched environment a seed."""
        return self._environments

    def close(self) -> None:
        """Give back what the environments hold."""
        for each in self._environments:
            each.close()


def joined(parts: Sequence[Observation]) -> Observation:
    """Put the observations of several seeds side by side; a mask that one of them has, all get."""
    first = parts[0]
    agents = range(len(first.seen))
    allowed = tuple(_masks([part.allowed[agent] if part.allowed else None for part in parts]) for agent in agents)
    states = [part.state for part in parts if part.state is not None]
    return Observation(
        seen=tuple(np.stack([part.seen[agent] for part in parts]) for agent in agents),
        plays=_masks([part.plays for part in parts]),
        speaks=_masks([part.speaks for part in parts]),
        hears=_masks([part.hears for part in parts]),
        allowed=allowed if any(mask is not None for mask in allowed) else None,
        state=np.stack(states) if states else None,
    )


def _shaping(parts: Sequence[Step]) -> Floats | None:
    shaped = [part.shaping for part in parts if part.shaping is not None]
    return np.stack(shaped) if shaped else None


def _masks(masks: Sequence[Booleans | None]) -> Booleans | None:
    shapes = [mask for mask in masks if mask is not None]
    if not shapes:
        return None
    return np.stack([np.ones_like(shapes[0]) if mask is None else mask for mask in masks])


def part_of(observation: Observation, index: int) -> Observation:
    """Return one seed's part of an observation of several."""
    allowed = observation.allowed
    return Observation(
        seen=tuple(seen[index] for seen in observation.seen),
        plays=None if observation.plays is None else observation.plays[index],
        speaks=None if observation.speaks is None else observation.speaks[index],
        hears=None if observation.hears is None else observation.hears[index],
        allowed=None if allowed is None else tuple(None if mask is None else mask[index] for mask in allowed),
        state=None if observation.state is None else observation.state[index],
    )
