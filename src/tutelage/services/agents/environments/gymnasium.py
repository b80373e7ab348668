"""Gymnasium's environments by id: `gymnasium:ID`, a registered ID, or `package:ID` where a package registers it."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tutelage.core.errors import InvalidSpec, MissingDependency, UnknownName, nearest
from tutelage.core.service import load
from tutelage.services.agents.environments.base import About, AgentSpaces
from tutelage.services.agents.environments.failures import number, truth
from tutelage.services.agents.environments.scenes import Shape, completed
from tutelage.services.agents.environments.single import Outcome, Seen
from tutelage.services.agents.environments.spaces import acting, seeing
from tutelage.services.agents.environments.stacked import Stacked, Watch
from tutelage.services.agents.environments.success import Success, success_of
from tutelage.services.agents.environments.supervised import STEP_S, Supervised

PREFIX = "gymnasium:"
REGISTERED_BY = {"MiniGrid-": "minigrid", "BabyAI-": "minigrid"}
"""Beginnings of ids -> the package whose import registers them."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is agreed about an environment beside its spaces."""

    name: str
    version: str
    max_steps: int
    success: Success


class GymnasiumCopy:
    """One environment with Gymnasium's `reset` and `step`; one agent."""

    def __init__(self, environment: Any, terms: Terms) -> None:
        self._environment = environment
        self._success = terms.success
        self._seeing = seeing(environment.observation_space, environment=terms.name)
        self._acting = acting(environment.action_space, environment=terms.name)
        self._elapsed, self._total, self._max_steps = 0, 0.0, terms.max_steps
        agent = AgentSpaces(name="agent", observation=self._seeing.size, action=self._acting.action)
        self.about = About(
            id=terms.name,
            version=terms.version,
            agents=(agent,),
            max_steps=terms.max_steps,
            success=terms.success.words,
        )

    def reset(self, seed: int) -> Seen:
        """Begin an episode whose randomness begins with `seed`."""
        observation, _ = _two(self._environment.reset(seed=seed))
        self._elapsed, self._total = 0, 0.0
        return self._seen(observation)

    def step(self, actions: tuple[Any, ...]) -> Outcome:
        """Take one step; the time limit truncates."""
        observation, reward, terminated, truncated, info = _five(
            self._environment.step(self._acting.decode(actions[0]))
        )
        earned = number(reward, "a reward")
        self._elapsed += 1
        self._total += earned
        is_over = truth(terminated, "terminated")
        is_late = truth(truncated, "truncated") or self._elapsed >= self._max_steps
        return Outcome(
            seen=self._seen(observation),
            rewards=(earned,),
            terminated=is_over,
            truncated=is_late and not is_over,
            succeeded=(is_over or is_late) and self._success.reached([info], self._total),
        )

    def shapes(self) -> tuple[list[Shape], tuple[float, float, float, float]] | None:
        """Return what the environment's own `scene()` describes, where it has one."""
        return own_shapes(self._environment)

    def close(self) -> None:
        """Close the environment."""
        self._environment.close()

    def _seen(self, observation: Any) -> Seen:
        return Seen(observations=(self._seeing.encode(observation),), plays=(True,))


def build(
    name: str,
    *,
    num: int,
    seed: int,
    max_steps: int | None = None,
    success_return: float | None = None,
    wrappers: Sequence[str] = (),
    supervised: bool = False,
    step_timeout_s: float = STEP_S,
    watch: Watch | None = None,
    **kwargs: Any,
) -> Stacked | Supervised | None:
    """Return `num` copies of an environment that Gymnasium knows, or None where it does not know the name.

    `wrappers` are dotted paths, applied in order; `supervised` has the copies run in a watched process; `kwargs` go to
    the environment. Raises MissingDependency without Gymnasium, UnknownName for an id after `gymnasium:` that is not
    registered, InvalidSpec for what is not handled.
    """
    identity = name.removeprefix(PREFIX)
    if importlib.util.find_spec("gymnasium") is None:
        if name == identity:
            return None
        raise MissingDependency("Gymnasium is not installed", hint="pip install 'tutelage[agents]'")
    if not _is_registered(identity):
        if name == identity:
            return None
        raise _unregistered(identity)
    if supervised:
        own = {"max_steps": max_steps, "success_return": success_return, "wrappers": list(wrappers)}
        arguments = {"name": name, "num": num, "seed": seed, **own, **kwargs}
        return Supervised(f"{__name__}:build", arguments, name=identity, step_timeout_s=step_timeout_s)
    made = [_make(identity, kwargs, wrappers, max_steps) for _ in range(num)]
    terms = _terms(identity, made[0], max_steps=max_steps, success_return=success_return)
    return Stacked([GymnasiumCopy(each, terms) for each in made], seed=seed, watch=watch)


def own_shapes(environment: Any) -> tuple[list[Shape], tuple[float, float, float, float]] | None:
    """Return the shapes and bounds of an environment's `scene()`, or None where it has no such method.

    Raises TypeError for a shape that nobody draws.
    """
    describe = getattr(getattr(environment, "unwrapped", environment), "scene", None)
    if not callable(describe):
        return None
    described = describe()
    left, bottom, right, top = (float(bound) for bound in described["bounds"])
    shapes = [completed(shape) for shape in described["shapes"]]
    return shapes, (left, bottom, right, top)


def package_version(module: str) -> str:
    """Return the name and version of the package that a module belongs to."""
    package = module.partition(".")[0]
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return package


def _is_registered(identity: str) -> bool:
    registry = importlib.import_module("gymnasium").envs.registry
    for begin, package in REGISTERED_BY.items():
        if identity.startswith(begin) and importlib.util.find_spec(package) is not None:
            importlib.import_module(package)
    module, colon, plain = identity.partition(":")
    if colon and module.isidentifier() and importlib.util.find_spec(module) is not None:
        importlib.import_module(module)
        return plain in registry
    return identity in registry


def _unregistered(identity: str) -> UnknownName:
    registry = importlib.import_module("gymnasium").envs.registry
    close = nearest(identity, registry)
    question = f" Did you mean {close!r}?" if close else ""
    return UnknownName(
        f"Gymnasium knows no environment {identity!r}.{question}",
        hint=f"{len(registry)} are registered; `package:ID` imports the package that registers one",
    )


def _make(identity: str, kwargs: Mapping[str, Any], wrappers: Sequence[str], max_steps: int | None) -> Any:
    library = importlib.import_module("gymnasium")
    limit = {} if max_steps is None else {"max_episode_steps": max_steps}
    try:
        environment = library.make(identity, disable_env_checker=True, **limit, **kwargs)
    except library.error.DependencyNotInstalled as error:
        raise MissingDependency(f"the environment {identity!r} needs more: {error}", hint=str(error)) from error
    except (library.error.Error, TypeError, ValueError, AssertionError) as error:
        raise InvalidSpec(
            f"the environment {identity!r} cannot be made: {error}", hint="correct environment.kwargs"
        ) from error
    for dotted in wrappers:
        environment = _wrapped(environment, dotted)
    return environment


def _wrapped(environment: Any, dotted: str) -> Any:
    try:
        return load(dotted)(environment)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise InvalidSpec(
            f"the wrapper {dotted!r} cannot be applied: {error}",
            hint="name it as module:Class, such as gymnasium.wrappers:FlattenObservation",
        ) from error


def _terms(identity: str, environment: Any, *, max_steps: int | None, success_return: float | None) -> Terms:
    spec = environment.spec
    limit = max_steps or spec.max_episode_steps or getattr(environment.unwrapped, "max_steps", None)
    if not isinstance(limit, int):
        raise InvalidSpec(
            f"the environment {identity!r} has no time limit", hint="set environment.kwargs.max_steps, in steps"
        )
    module = type(environment.unwrapped).__module__
    return Terms(
        name=identity,
        version=package_version(module),
        max_steps=limit,
        success=success_of(identity, success_return=success_return, threshold=spec.reward_threshold),
    )


def _two(given: Any) -> tuple[Any, Any]:
    if not isinstance(given, tuple) or len(given) != 2:
        raise TypeError(f"reset returned {type(given).__name__}, not (observation, info)")
    return given


def _five(given: Any) -> tuple[Any, Any, Any, Any, Mapping[str, Any]]:
    if not isinstance(given, tuple) or len(given) != 5 or not isinstance(given[4], Mapping):
        size = f" of {len(given)}" if isinstance(given, tuple) else ""
        raise TypeError(
            f"step returned a {type(given).__name__}{size}, not (observation, reward, terminated, truncated, info)"
        )
    return given
