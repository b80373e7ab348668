"""The error of an environment that is not ours, and the checks of what it gives."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tutelage.core.errors import TrainingError
from tutelage.services.agents.environments.base import About, Floats
from tutelage.services.agents.environments.single import Outcome, Seen

MAX_SHOWN = 200


class EnvironmentFailed(TrainingError):
    """An environment crashed, hung, or gave what it must not."""

    code: ClassVar[str] = "environment_failed"


def failed(environment: str, *, copy: int, step: int, got: str, expected: str, hint: str = "") -> EnvironmentFailed:
    """Return the error that names environment, copy and step (0: the reset), what was got and what was expected."""
    when = f"at step {step} of its episode" if step else "at its reset"
    return EnvironmentFailed(
        f"the environment {environment!r} failed in copy {copy} {when}: got {got}; expected {expected}",
        hint=hint or "correct the environment, then resume: the last checkpoint is kept",
    )


def crashed(environment: str, error: BaseException, *, copy: int, step: int) -> EnvironmentFailed:
    """Return the error for an exception that an environment raised, with the line that did where it is not ours."""
    frames = traceback.extract_tb(error.__traceback__)
    at = frames[-1] if frames and Path(frames[-1].filename).parent != Path(__file__).parent else None
    where = f" ({Path(at.filename).name}:{at.lineno} in {at.name})" if at else ""
    return failed(
        environment,
        copy=copy,
        step=step,
        got=f"{_short(f'{type(error).__name__}: {error}')}{where}",
        expected="a step without an exception" if step else "a reset without an exception",
    )


def check_seen(about: About, seen: Seen, *, copy: int, step: int) -> None:
    """Hold what one copy shows against its spaces; only what agents that still play see must be finite.

    Raises EnvironmentFailed for another shape, NaN or infinity.
    """
    for agent, observation, plays in zip(about.agents, seen.observations, seen.plays, strict=True):
        if observation.shape != (agent.observation,):
            raise failed(
                about.id,
                copy=copy,
                step=step,
                got=f"an observation of shape {observation.shape} for {agent.name}",
                expected=f"({agent.observation},) numbers, as at the first reset",
            )
        if plays and not np.isfinite(observation).all():
            at = int(np.flatnonzero(~np.isfinite(observation))[0])
            raise failed(
                about.id,
                copy=copy,
                step=step,
                got=f"{observation[at]} as number {at} of what {agent.name} sees",
                expected="finite numbers",
            )


def check_outcome(about: About, outcome: Outcome, *, copy: int, step: int) -> None:
    """Hold one step of one copy against its spaces. Raises EnvironmentFailed."""
    check_seen(about, outcome.seen, copy=copy, step=step)
    for agent, reward in zip(about.agents, outcome.rewards, strict=True):
        if not np.isfinite(reward):
            raise failed(
                about.id, copy=copy, step=step, got=f"a reward of {reward} for {agent.name}", expected="a finite number"
            )


def number(value: Any, what: str) -> float:
    """Return a reward as a float. Raises TypeError, naming it, for what is not one number."""
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "fiub":
        raise TypeError(f"{what} is {_short(repr(value))}, not one number")
    return float(array.reshape(())) if array.ndim == 0 else float(array.reshape(-1)[0])


def vector(value: Any, what: str) -> Floats:
    """Return numbers as a flat float32 array. Raises TypeError, naming them, for anything else."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise TypeError(f"{what} is not an array: {error}") from error
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what} has the type {array.dtype}, not numbers")
    return array.astype(np.float32).reshape(-1)


def truth(value: Any, what: str) -> bool:
    """Return a flag. Raises TypeError, naming it, for what is neither true nor false."""
    if not isinstance(value, bool | np.bool_) and not (isinstance(value, int) and value in (0, 1)):
        raise TypeError(f"{what} is {_short(repr(value))}, neither true nor false")
    return bool(value)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]}..."
