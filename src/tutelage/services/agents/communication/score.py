"""The coordination score: how much of what coordination can win here, this team wins by its link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.services.agents.environments.base import Reference

Reals = NDArray[np.float64]
NUM_RESAMPLES = 2000
LEVEL = 0.95
KNOWN_BEST = ("oracle", "best_known")
"""References that may stand for the best there is, in order."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value with the interval that resampling gives it."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return it as JSON values."""
        return {"value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6)}


@dataclass(frozen=True, kw_only=True)
class Coordination:
    """The score with its parts: mean returns an episode of the team, of the same policies unheard, and the best."""

    score: Interval
    team: Interval
    cut: Interval
    shuffled: Interval
    gain: Interval
    """What the link wins: the team's return less the better of the two interventions."""
    intervention: str
    """The intervention that costs less, which the score is taken against: `cut` or `shuffled`."""
    reference: Reference

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "score": self.score.as_dict(),
            "team": self.team.as_dict(),
            "cut": self.cut.as_dict(),
            "shuffled": self.shuffled.as_dict(),
            "gain": self.gain.as_dict(),
            "intervention": self.intervention,
            "reference": {"value": self.reference.value, "how": self.reference.how},
        }


@dataclass(frozen=True, kw_only=True)
class NoScore:
    """Why there is no score."""

    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"score": None, "reason": self.reason}


def reference_of(references: Mapping[str, Reference]) -> Reference | None:
    """Return the reference that stands for the best there is; None where a task knows none."""
    return next((references[name] for name in KNOWN_BEST if name in references), None)


def coordination(
    team: Reals, *, cut: Reals, shuffled: Reals, reference: Reference | None, random: np.random.Generator
) -> Coordination | NoScore:
    """Return (J_team - J_cut) / (J_reference - J_cut), held within [0, 1], from episode returns of equal seeds.

    `team`, `cut` and `shuffled` are the returns (N,) of the same N episodes with the link as it is, cut, and with words
    of other episodes. J_cut is the better of the two interventions: policies that never met silence may fail in it for
    that alone, and that is no merit of the link.
    """
    if reference is None:
        return NoScore(reason="the best return of this task is not known")
    picks = random.integers(len(team), size=(NUM_RESAMPLES, len(team)))
    returns = {"team": team, "cut": cut, "shuffled": shuffled}
    means = {name: float(values.mean()) for name, values in returns.items()}
    drawn = {name: values[picks].mean(1) for name, values in returns.items()}
    name = max(("shuffled", "cut"), key=lambda which: means[which])
    if reference.value <= means[name]:
        return NoScore(reason=f"without its link the team returns {means[name]:.2f}, not below the best known")
    return Coordination(
        score=_interval(
            _ratio(means["team"], means[name], reference.value), _ratio(drawn["team"], drawn[name], reference.value)
        ),
        team=_interval(means["team"], drawn["team"]),
        cut=_interval(means["cut"], drawn["cut"]),
        shuffled=_interval(means["shuffled"], drawn["shuffled"]),
        gain=_interval(means["team"] - means[name], drawn["team"] - drawn[name]),
        intervention=name,
        reference=reference,
    )


def _ratio(team: Any, cut: Any, best: float) -> Any:
    return np.clip((team - cut) / np.maximum(best - cut, 1e-9), 0.0, 1.0)


def _interval(value: Any, drawn: Reals) -> Interval:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value=float(value), low=float(low), high=float(high))
