"""Gymnasium's spaces -> what our policies take: observations as flat float32 numbers, actions discrete or bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.core.errors import InvalidSpec
from tutelage.services.agents.environments.base import Continuous, Discrete, Floats
from tutelage.services.agents.environments.failures import vector

MAX_ONE_HOT = 4096
Encode = Callable[[Any], Floats]
Decode = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Seeing:
    """How an observation becomes `size` numbers."""

    size: int
    encode: Encode


@dataclass(frozen=True, kw_only=True)
class Acting:
    """Which actions there are, and how ours becomes the environment's."""

    action: Discrete | Continuous
    decode: Decode


def seeing(space: Any, *, environment: str) -> Seeing:
    """Return how to flatten an observation space: Box as it is, Discrete and MultiDiscrete one-hot, MultiBinary as 0/1.

    Raises InvalidSpec for any other space.
    """
    kind = type(space).__name__
    if kind in ("Box", "MultiBinary"):
        return Seeing(size=int(np.prod(space.shape, dtype=int)), encode=_shaped(tuple(space.shape)))
    if kind == "Discrete":
        return _one_hot([int(space.n)], [int(space.start)], environment=environment)
    if kind == "MultiDiscrete":
        start = getattr(space, "start", np.zeros_like(space.nvec))
        return _one_hot(space.nvec.reshape(-1).tolist(), start.reshape(-1).tolist(), environment=environment)
    raise InvalidSpec(
        f"the environment {environment!r} shows a {kind} space, which is not handled: {space}",
        hint="handled: Box, Discrete, MultiDiscrete, MultiBinary; flatten it by a wrapper, such as"
        " environment.kwargs.wrappers: ['gymnasium.wrappers:FlattenObservation']",
    )


def acting(space: Any, *, environment: str) -> Acting:
    """Return how to act in an action space: Discrete, or Box with finite bounds. Raises InvalidSpec for any other."""
    kind = type(space).__name__
    if kind == "Discrete":
        start = int(space.start)
        return Acting(action=Discrete(num=int(space.n)), decode=lambda action: int(action) + start)
    if kind == "Box" and space.dtype.kind == "f":
        return _bounded(space, environment=environment)
    raise InvalidSpec(
        f"the environment {environment!r} takes actions of a {kind} space, which is not handled: {space}",
        hint="handled: Discrete, and Box of floats with finite bounds",
    )


def _bounded(space: Any, *, environment: str) -> Acting:
    low, high = space.low.reshape(-1), space.high.reshape(-1)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise InvalidSpec(
            f"the environment {environment!r} takes actions without bounds: {space}",
            hint="bound them by a wrapper, such as gymnasium.wrappers:RescaleAction",
        )
    shape, kind = space.shape, space.dtype

    def decode(action: Any) -> Any:
        return np.clip(np.asarray(action, kind), low, high).reshape(shape)

    return Acting(action=Continuous(low=tuple(map(float, low)), high=tuple(map(float, high))), decode=decode)


def _shaped(shape: tuple[int, ...]) -> Encode:
    def encode(value: Any) -> Floats:
        given = np.shape(value)
        if given != shape:
            raise TypeError(f"an observation has the shape {given}, its space says {shape}")
        return vector(value, "an observation")

    return encode


def _one_hot(sizes: list[int], starts: list[int], *, environment: str) -> Seeing:
    total = sum(sizes)
    if total > MAX_ONE_HOT:
        raise InvalidSpec(
            f"the environment {environment!r} shows {total:,} discrete values; at most {MAX_ONE_HOT:,} become one-hot",
            hint="encode the observation by a wrapper",
        )
    begins = np.cumsum([0, *sizes[:-1]]) - np.array(starts)

    def encode(value: Any) -> Floats:
        chosen = np.asarray(value).reshape(-1)
        if chosen.shape != begins.shape or chosen.dtype.kind not in "iu":
            raise TypeError(f"an observation is {value!r}, its space has {len(sizes)} whole numbers")
        if ((chosen < starts) | (chosen >= np.add(starts, sizes))).any():
            raise TypeError(f"an observation is {value!r}, its space allows {starts} to {np.add(starts, sizes) - 1}")
        hot = np.zeros(total, np.float32)
        hot[chosen + begins] = 1
        return hot

    return Seeing(size=total, encode=encode)
