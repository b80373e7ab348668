"""Builds environments by id: ours from the catalogue, others by the fallbacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.service import load
from tutelage.services.agents.environments.base import BatchedEnvironment
from tutelage.services.agents.environments.catalog import ENVIRONMENTS, FALLBACKS


def build(name: str, *, num: int, seed: int, kwargs: Mapping[str, Any] | None = None) -> BatchedEnvironment:
    """Return `num` copies of the environment `name`, whose randomness begins with `seed`.

    Raises UnknownName with the nearest match and the list for an id nobody knows, InvalidSpec for kwargs that the
    environment does not take.
    """
    options = dict(kwargs or {})
    if name in ENVIRONMENTS:
        return _made(name, load(ENVIRONMENTS[name].build), num=num, seed=seed, **options)
    for dotted in FALLBACKS:
        found: BatchedEnvironment | None = load(dotted)(name, num=num, seed=seed, **options)
        if found is not None:
            return found
    raise unknown("environment", name, ENVIRONMENTS)


def _made(name: str, builder: Any, **arguments: Any) -> BatchedEnvironment:
    try:
        made: BatchedEnvironment = builder(**arguments)
    except TypeError as error:
        raise InvalidSpec(
            f"the environment {name!r} cannot be built: {error}", hint="see environment.kwargs"
        ) from error
    return made
