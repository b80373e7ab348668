"""A user's own class as an environment: `python:module:Class`, with its folder in `environment.kwargs.source_dir`.

The class has Gymnasium's `reset(seed=...)` and `step(action)` with `observation_space` and `action_space`, or
PettingZoo's parallel ones with `possible_agents`. It runs in a process of its own (see `supervised`).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from tutelage.core.errors import InvalidSpec, TutelageError
from tutelage.services.agents.environments.failures import crashed
from tutelage.services.agents.environments.gymnasium import GymnasiumCopy, Terms, package_version
from tutelage.services.agents.environments.pettingzoo import PettingZooCopy, time_limit
from tutelage.services.agents.environments.single import Single
from tutelage.services.agents.environments.stacked import Stacked, Watch
from tutelage.services.agents.environments.success import success_of
from tutelage.services.agents.environments.supervised import START_S, STEP_S, Supervised

PREFIX = "python:"


def build(
    name: str,
    *,
    num: int,
    seed: int,
    step_timeout_s: float = STEP_S,
    start_timeout_s: float = START_S,
    **options: Any,
) -> Supervised | None:
    """Return `num` copies of a user's class, all in one child process, or None for another kind of name.

    `step_timeout_s` is what one call to one copy may take. `source_dir`, `max_steps` and `success_return` are ours; all
    else goes to the class.
    """
    if not name.startswith(PREFIX):
        return None
    return Supervised(
        "tutelage.services.agents.environments.user_class:build_here",
        {"name": name, "num": num, "seed": seed, **options},
        name=name,
        step_timeout_s=step_timeout_s,
        start_timeout_s=start_timeout_s,
    )


def build_here(
    name: str,
    *,
    num: int,
    seed: int,
    watch: Watch,
    source_dir: str | None = None,
    max_steps: int | None = None,
    success_return: float | None = None,
    **kwargs: Any,
) -> Stacked:
    """Return the copies in this process; for the child. Raises InvalidSpec for a class that is no environment."""
    kind = _load(name, source_dir)
    made = []
    for copy in range(num):
        watch(copy, 0)
        made.append(_make(name, kind, kwargs, copy=copy))
    first = made[0]
    terms = Terms(
        name=name,
        version=package_version(kind.__module__),
        max_steps=time_limit(name, first, max_steps),
        success=success_of(name, success_return=success_return, threshold=None),
    )
    translate: Callable[[Any, Terms], Single] = PettingZooCopy if hasattr(first, "possible_agents") else GymnasiumCopy
    return Stacked([translate(each, terms) for each in made], seed=seed, watch=watch)


def _load(name: str, source_dir: str | None) -> Any:
    module, colon, attribute = name.removeprefix(PREFIX).partition(":")
    if not colon:
        raise InvalidSpec(f"the environment {name!r} names no class", hint="write python:module:Class")
    if source_dir is not None:
        sys.path.insert(0, source_dir)
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:  # importing runs the user's code: whatever it raises is its failure
        raise InvalidSpec(
            f"the class of {name!r} cannot be loaded: {type(error).__name__}: {error}",
            hint="environment.kwargs.source_dir names the folder that its module lies in",
        ) from error


def _make(name: str, kind: Any, kwargs: Mapping[str, Any], *, copy: int) -> Any:
    try:
        made = kind(**kwargs)
    except TutelageError:
        raise
    except Exception as error:  # likewise
        raise crashed(name, error, copy=copy, step=0) from error
    missing = [part for part in ("reset", "step", "observation_space", "action_space") if not hasattr(made, part)]
    if missing:
        raise InvalidSpec(
            f"{name!r} is no environment: it has no {', '.join(missing)}",
            hint="give it Gymnasium's reset, step, observation_space and action_space, or PettingZoo's parallel ones",
        )
    if not hasattr(made, "close"):
        made.close = lambda: None
    return made
