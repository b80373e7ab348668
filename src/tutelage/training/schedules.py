"""Learning-rate schedules: pure functions of the step, so that resuming is exact and tuning is simple.

A shape maps `t`, steps since the warmup, and `total`, steps after the warmup, to a factor of the base rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tutelage.core.errors import InvalidSpec
from tutelage.core.training import check_schedule

Shape = Callable[[int, int], float]


def constant(t: int, total: int) -> float:
    """1 throughout."""
    return 1.0


def linear(t: int, total: int, *, final: float = 0.0) -> float:
    """From 1 down to `final` in a straight line."""
    return final + (1 - final) * (1 - _share(t, total))


def step(t: int, total: int, *, every: int, gamma: float = 0.1) -> float:
    """Times `gamma` after each `every` steps."""
    return float(gamma ** (t // every))


def exponential(t: int, total: int, *, gamma: float) -> float:
    """Times `gamma` each step."""
    return float(gamma**t)


def polynomial(t: int, total: int, *, power: float = 2.0, final: float = 0.0) -> float:
    """From 1 to `final` as `(1 - x) ** power`."""
    return float(final + (1 - final) * (1 - _share(t, total)) ** power)


def cosine(t: int, total: int, *, final: float = 0.0) -> float:
    """From 1 to `final` along half a cosine (Loshchilov & Hutter 2017, arXiv 1608.03983, equation 5)."""
    return final + (1 - final) * _half_cosine(_share(t, total))


def cosine_restarts(t: int, total: int, *, period: int, growth: float = 1.0, final: float = 0.0) -> float:
    """Half a cosine again and again; each period is `growth` times as long as the one before (as above, SGDR)."""
    length = float(period)
    left = float(t)
    while left >= length:
        left -= length
        length *= growth
    return final + (1 - final) * _half_cosine(left / length)


def one_cycle(t: int, total: int, *, rise: float = 0.3, start: float = 0.04, final: float = 4e-6) -> float:
    """Up from `start` over the share `rise` of the steps, then down to `final`, both along half a cosine.

    Smith & Topin 2018, arXiv 1708.07120; the same values as `torch.optim.lr_scheduler.OneCycleLR`.
    """
    top, end = rise * total - 1, total - 1
    if t <= top:
        return 1 + (start - 1) * _half_cosine(t / top)
    return final + (1 - final) * _half_cosine(min((t - top) / max(end - top, 1e-9), 1.0))


def inverse_sqrt(t: int, total: int, *, timescale: int = 10_000) -> float:
    """`sqrt(timescale / (timescale + t))`."""
    return math.sqrt(timescale / (timescale + t))


def warmup_stable_decay(t: int, total: int, *, decay_steps: int | None = None, final: float = 0.0) -> float:
    """1, then down to `final` in a straight line over the last `decay_steps` (None: a fifth of all)."""
    decay = max(total // 5 if decay_steps is None else decay_steps, 1)
    return 1.0 if t < total - decay else linear(t - (total - decay), decay, final=final)


SHAPES: Mapping[str, Callable[..., float]] = {
    "constant": constant,
    "linear": linear,
    "step": step,
    "exponential": exponential,
    "polynomial": polynomial,
    "cosine": cosine,
    "cosine_restarts": cosine_restarts,
    "one_cycle": one_cycle,
    "inverse_sqrt": inverse_sqrt,
    "warmup_stable_decay": warmup_stable_decay,
}


class Schedule:
    """The factor of the base learning rate at each step: a warmup in a straight line, then a shape."""

    def __init__(self, shape: Shape, *, warmup_steps: int = 0, settles: bool = False) -> None:
        self._shape, self._warmup, self._settles = shape, warmup_steps, settles

    def factor(self, step: int, *, max_steps: int) -> float:
        """Return the factor of update number `step`, counted from 0, of a training of `max_steps`."""
        if step < self._warmup:
            return (step + 1) / self._warmup
        return self._shape(step - self._warmup, max(max_steps - self._warmup, 1))

    def settled_after(self, max_steps: int) -> int:
        """Return the last step at which the rate is planned to change: before it a plateau means nothing."""
        return min(self._warmup, max_steps) if self._settles else max_steps

    def observe(self, value: float, *, is_better_low: bool) -> None:
        """Hear of an evaluation of the objective; only `plateau` listens."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs: nothing, but for `plateau`."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""


class Plateau(Schedule):
    """Times `gamma` after more than `patience` evaluations that did not beat the best by `min_delta`; stateful."""

    def __init__(
        self,
        *,
        warmup_steps: int = 0,
        gamma: float = 0.1,
        patience: int = 10,
        min_delta: float = 0.0,
        final: float = 0.0,
    ) -> None:
        super().__init__(lambda t, total: self._factor, warmup_steps=warmup_steps, settles=True)
        self._gamma, self._patience, self._min_delta, self._final = gamma, patience, min_delta, final
        self._factor, self._best, self._bad = 1.0, math.inf, 0

    def observe(self, value: float, *, is_better_low: bool) -> None:
        """Hear of an evaluation of the objective."""
        cost = value if is_better_low else -value
        if cost < self._best - self._min_delta:
            self._best, self._bad = cost, 0
            return
        self._bad += 1
        if self._bad > self._patience:
            self._factor, self._bad = max(self._factor * self._gamma, self._final), 0

    def state_dict(self) -> dict[str, Any]:
        """Return the factor, the best and the evaluations since."""
        return {"factor": self._factor, "best": self._best, "bad": self._bad}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned; nothing where another schedule wrote it."""
        self._factor = state.get("factor", self._factor)
        self._best, self._bad = state.get("best", self._best), state.get("bad", self._bad)


def create_schedule(config: Mapping[str, Any]) -> Schedule:
    """Make the schedule that `config` names: `{"name": "cosine", "warmup_steps": 100, "final": 0.1}`.

    Raises UnknownName for a name or key it does not know, InvalidSpec where a key without default is missing.
    """
    name = check_schedule(config)
    options = {key: value for key, value in config.items() if key not in ("name", "warmup_steps")}
    warmup_steps = int(config.get("warmup_steps", 0))
    if name == "plateau":
        return Plateau(warmup_steps=warmup_steps, **options)
    shape = partial(SHAPES[name], **options)
    try:
        shape(0, 1)
    except TypeError as error:
        raise InvalidSpec(f"the schedule {name!r} is not complete: {error}", hint="give the named key") from error
    return Schedule(shape, warmup_steps=warmup_steps, settles=name == "constant")


def _share(t: int, total: int) -> float:
    return min(t / total, 1.0)


def _half_cosine(share: float) -> float:
    """From 1 at 0 to 0 at 1."""
    return (1 + math.cos(math.pi * share)) / 2
