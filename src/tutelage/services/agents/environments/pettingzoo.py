"""PettingZoo's parallel environments by import path: `pettingzoo:mpe2.simple_spread_v3`, or the path alone."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Mapping, Set
from typing import Any

import numpy as np

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.services.agents.environments.base import About, AgentSpaces, Floats
from tutelage.services.agents.environments.failures import number, truth
from tutelage.services.agents.environments.gymnasium import Terms, own_shapes, package_version
from tutelage.services.agents.environments.scenes import Shape
from tutelage.services.agents.environments.single import Outcome, Seen
from tutelage.services.agents.environments.spaces import acting, seeing
from tutelage.services.agents.environments.stacked import Stacked, Watch
from tutelage.services.agents.environments.success import success_of
from tutelage.services.agents.environments.supervised import STEP_S, Supervised

PREFIX = "pettingzoo:"
PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
LIMITS = ("max_cycles", "max_steps", "max_iter")
"""The attributes in which environments keep their time limit."""


class PettingZooCopy:
    """One parallel environment. An agent that has ended is seen as zeros, and plays no more in this episode.

    The episode ends when the last agent has: truncated where one of those was, else terminated.
    """

    def __init__(self, environment: Any, terms: Terms) -> None:
        self._environment = environment
        self._names = tuple(environment.possible_agents)
        self._success = terms.success
        self._seeing = {
            name: seeing(environment.observation_space(name), environment=terms.name) for name in self._names
        }
        self._acting = {name: acting(environment.action_space(name), environment=terms.name) for name in self._names}
        self._elapsed, self._total, self._max_steps = 0, 0.0, terms.max_steps
        self.about = About(
            id=terms.name,
            version=terms.version,
            agents=tuple(
                AgentSpaces(name=name, observation=self._seeing[name].size, action=self._acting[name].action)
                for name in self._names
            ),
            max_steps=terms.max_steps,
            success=terms.success.words,
        )

    def reset(self, seed: int) -> Seen:
        """Begin an episode whose randomness begins with `seed`."""
        given = self._environment.reset(seed=seed)
        if not isinstance(given, tuple) or len(given) != 2:
            raise TypeError(f"reset returned {type(given).__name__}, not (observations, infos)")
        self._elapsed, self._total = 0, 0.0
        return self._seen(given[0])

    def step(self, actions: tuple[Any, ...]) -> Outcome:
        """Take one step with the actions of those who still play."""
        chosen = {
            name: self._acting[name].decode(action)
            for name, action in zip(self._names, actions, strict=True)
            if name in self._environment.agents
        }
        observations, rewards, terminations, truncations, infos = self._five(self._environment.step(chosen))
        earned = tuple(number(rewards.get(name, 0.0), f"the reward of {name}") for name in self._names)
        self._elapsed += 1
        self._total += sum(earned) / len(earned)
        cut = {name for name, flag in truncations.items() if truth(flag, f"truncation of {name}")}
        is_late = self._elapsed >= self._max_steps and bool(self._environment.agents)
        is_over = not self._environment.agents or self._all_ended(terminations, truncations)
        return Outcome(
            seen=self._seen(observations, cut),
            rewards=earned,
            terminated=is_over and not cut,
            truncated=(is_over and bool(cut)) or (is_late and not is_over),
            succeeded=(is_over or is_late) and self._success.reached(infos.values(), self._total),
        )

    def shapes(self) -> tuple[list[Shape], tuple[float, float, float, float]] | None:
        """Return what the environment's own `scene()` describes, where it has one."""
        return own_shapes(self._environment)

    def close(self) -> None:
        """Close the environment."""
        self._environment.close()

    def _all_ended(self, terminations: Mapping[str, Any], truncations: Mapping[str, Any]) -> bool:
        """Some environments leave their agents listed in the step in which all of them end."""
        return all(
            truth(terminations.get(name, False), f"termination of {name}") or bool(truncations.get(name, False))
            for name in self._environment.agents
        )

    def _seen(self, observations: Mapping[str, Any], cut: Set[str] = frozenset()) -> Seen:
        """Return what all see. Who was cut off by the time limit still plays: what it would earn has a value."""
        known = set(self._names)
        if not isinstance(observations, Mapping) or not set(observations) <= known:
            raise TypeError(f"observations are of {sorted(map(str, observations))}, the agents are {sorted(known)}")
        playing = set(self._environment.agents)
        if missing := playing - set(observations):
            raise TypeError(f"{', '.join(sorted(missing))} plays, but has no observation")
        return Seen(
            observations=tuple(self._encode(name, observations) for name in self._names),
            plays=tuple(name in playing or name in cut for name in self._names),
        )

    def _encode(self, name: str, observations: Mapping[str, Any]) -> Floats:
        if name not in observations:
            return np.zeros(self._seeing[name].size, np.float32)
        return self._seeing[name].encode(observations[name])

    @staticmethod
    def _five(given: Any) -> Any:
        if not isinstance(given, tuple) or len(given) != 5 or not all(isinstance(part, Mapping) for part in given):
            raise TypeError(
                "step did not return five mappings: observations, rewards, terminations, truncations, infos"
            )
        return given


def build(
    name: str,
    *,
    num: int,
    seed: int,
    max_steps: int | None = None,
    success_return: float | None = None,
    supervised: bool = False,
    step_timeout_s: float = STEP_S,
    watch: Watch | None = None,
    **kwargs: Any,
) -> Stacked | Supervised | None:
    """Return `num` copies of the parallel environment that a module makes, or None where the name is no such module.

    `supervised` has the copies run in a watched process; `kwargs` go to its `parallel_env`. Raises UnknownName for a
    path after `pettingzoo:` that leads nowhere, InvalidSpec for what is not handled.
    """
    path = name.removeprefix(PREFIX)
    module = _module(path)
    if module is None:
        if name == path:
            return None
        raise UnknownName(
            f"no module {path!r} with a parallel_env can be imported",
            hint="name a module such as mpe2.simple_spread_v3; is its package installed?",
        )
    if supervised:
        own = {"max_steps": max_steps, "success_return": success_return}
        arguments = {"name": name, "num": num, "seed": seed, **own, **kwargs}
        return Supervised(f"{__name__}:build", arguments, name=path, step_timeout_s=step_timeout_s)
    try:
        made = [module.parallel_env(**kwargs) for _ in range(num)]
    except (TypeError, ValueError, AssertionError) as error:
        raise InvalidSpec(
            f"the environment {path!r} cannot be made: {error}", hint="correct environment.kwargs"
        ) from error
    terms = Terms(
        name=path,
        version=package_version(path),
        max_steps=time_limit(path, made[0], max_steps),
        success=success_of(path, success_return=success_return, threshold=None),
    )
    return Stacked([PettingZooCopy(each, terms) for each in made], seed=seed, watch=watch)


def time_limit(name: str, environment: Any, max_steps: int | None) -> int:
    """Return the time limit in steps: the user's, or the environment's own. Raises InvalidSpec where there is none."""
    inner = getattr(environment, "unwrapped", environment)
    limits = [max_steps, *(getattr(inner, attribute, None) for attribute in LIMITS)]
    found = next((limit for limit in limits if isinstance(limit, int) and limit >= 1), None)
    if found is None:
        raise InvalidSpec(
            f"the environment {name!r} has no time limit", hint="set environment.kwargs.max_steps, in steps"
        )
    return found


def _module(path: str) -> Any | None:
    if not PATH.fullmatch(path):
        return None
    try:
        if importlib.util.find_spec(path) is None:
            return None
    except ImportError:
        return None
    module = importlib.import_module(path)
    return module if hasattr(module, "parallel_env") else None
