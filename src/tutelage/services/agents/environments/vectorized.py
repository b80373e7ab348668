"""What the environments of our own share: copies that begin and end by themselves, randomness that can be kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tutelage.core.errors import DamagedFile, InvalidSpec
from tutelage.services.agents.environments.base import About, Actions, Booleans, Floats, Integers, Observation, Step
from tutelage.services.agents.environments.randomness import generator_state, restored_generator

HARDEST = 1.0


@runtime_checkable
class Adjustable(Protocol):
    """A task whose difficulty may be moved while it runs; the spaces stay as they are."""

    difficulty: float
    """0 (easiest) to 1 (as the task is defined); counts from the next episode of each copy.

    `about.references` are those of 1, and are left out where an environment is built with less.
    """


class VectorizedTask(ABC):
    """A task in NumPy: `num` copies as arrays whose first axis is the copy.

    A subclass sets `about`, names its arrays in `STATE` and creates them, and says how copies begin, advance and are
    seen. A copy that ends begins anew within the same step.
    """

    about: About
    STATE: ClassVar[tuple[str, ...]]
    """The attributes that hold all of a copy's state."""

    def __init__(self, num: int, *, seed: int) -> None:
        if num < 1:
            raise InvalidSpec(f"an environment needs at least 1 copy, got {num}", hint="set `num` to 1 or more")
        self.num = num
        self.rng = np.random.default_rng(seed)
        self.elapsed: Integers = np.zeros(num, np.int64)

    def reset(self) -> Observation:
        """Begin anew in every copy."""
        self._renew(np.ones(self.num, bool))
        return self.observe()

    def step(self, actions: Actions) -> Step:
        """Take one step in every copy; those that end begin anew."""
        rewards, terminated, succeeded = self.advance(actions)
        self.elapsed += 1
        truncated = ~terminated & (self.elapsed >= self.about.max_steps)
        ended = terminated | truncated
        observation, last = self.observe(), None
        if ended.any():
            last = observation
            self._renew(ended)
            observation = self.observe()
        return Step(
            observation=observation,
            rewards=rewards.astype(np.float32),
            terminated=terminated,
            truncated=truncated,
            succeeded=succeeded & ended,
            last=last,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the arrays, the steps of each copy's episode and the generator's state."""
        arrays = {name: getattr(self, name).copy() for name in (*self.STATE, "elapsed")}
        difficulty = {"difficulty": self.difficulty} if isinstance(self, Adjustable) else {}
        return {**arrays, **difficulty, "rng": generator_state(self.rng)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned. Raises DamagedFile where it is not of this task and size."""
        for name in (*self.STATE, "elapsed"):
            setattr(self, name, _like(getattr(self, name), state.get(name), name=name, task=self.about.id))
        if isinstance(self, Adjustable):
            self.difficulty = float(state["difficulty"])
        self.rng = restored_generator(state["rng"])

    def close(self) -> None:
        """Give back nothing: all is memory."""
        return

    def _renew(self, which: Booleans) -> None:
        self.elapsed[which] = 0
        self.begin(which)

    @abstractmethod
    def begin(self, which: Booleans) -> None:
        """Draw a new episode for the copies of `which` (B,)."""

    @abstractmethod
    def advance(self, actions: Actions) -> tuple[Floats | NDArray[np.float64], Booleans, Booleans]:
        """Move every copy one step; return rewards (B, agents), terminated (B,), succeeded (B,)."""

    @abstractmethod
    def observe(self) -> Observation:
        """Return what the agents see now."""

    @abstractmethod
    def scene(self, copy: int) -> dict[str, Any]:
        """Describe one copy as shapes to draw."""


def fraction(name: str, value: float) -> float:
    """Return a setting between 0 and 1. Raises InvalidSpec for any other value."""
    if not 0.0 <= value <= 1.0:
        raise InvalidSpec(f"{name} must be from 0 to 1, got {value}", hint="0 is easiest, 1 the task as it is defined")
    return float(value)


def within(name: str, value: float, least: float, most: float) -> float:
    """Return a number within bounds. Raises InvalidSpec for any other value."""
    if not least <= value <= most:
        raise InvalidSpec(f"{name} must be from {least:g} to {most:g}, got {value}", hint="choose a number within them")
    return float(value)


def at_least(name: str, value: int, least: int, *, most: int | None = None) -> int:
    """Return a whole number within bounds. Raises InvalidSpec for any other value."""
    if value < least or (most is not None and value > most):
        allowed = f"at least {least}" if most is None else f"from {least} to {most}"
        raise InvalidSpec(f"{name} must be {allowed}, got {value}", hint=f"choose a whole number {allowed}")
    return int(value)


def remapping(action_map: Any, num: int) -> Integers:
    """Return what each action stands for, as an array (num,): a change of dynamics to adapt to. None: each for itself.

    Raises InvalidSpec where it is not one action for each.
    """
    if action_map is None:
        return np.arange(num)
    mapped = np.asarray(action_map)
    if mapped.shape != (num,) or mapped.dtype.kind not in "iu" or mapped.min() < 0 or mapped.max() >= num:
        raise InvalidSpec(
            f"action_map must list {num} actions from 0 to {num - 1}, got {action_map}",
            hint=f"[{', '.join(map(str, range(num)))}] changes nothing",
        )
    return mapped.astype(np.int64)


def changed(about: About, *settings: bool) -> About:
    """Return the facts without their references where a setting is not as it was when those were measured."""
    return replace(about, references={}) if any(settings) else about


def one_hot(index: NDArray[Any], num: int) -> Floats:
    """Return 1 at `index` of `num`, 0 elsewhere; shape (..., num)."""
    hot: Floats = np.eye(num, dtype=np.float32)[index]
    return hot


def _like(mine: NDArray[Any], given: Any, *, name: str, task: str) -> NDArray[Any]:
    array = np.array(given, dtype=mine.dtype) if given is not None else None
    if array is None or array.shape != mine.shape:
        got = "none" if array is None else str(array.shape)
        raise DamagedFile(
            f"the state of {task} has {got} for {name!r} where {mine.shape} is expected",
            hint="restore it with the number of copies and the settings that it was kept with",
        )
    return array
