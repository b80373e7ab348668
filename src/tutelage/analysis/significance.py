"""Whether two runs differ by more than chance: by replicas that differ in the seed alone, else by their own noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Literal

from tutelage.analysis.wording import spoken
from tutelage.core.wire import ComparedOperation, Significance

SEED = "seed"
T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Student's 97.5 % quantiles for 1 to 10 degrees of freedom; 1.96 beyond thirty, 2.0 to 2.2 between."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs of one config, under any seed."""

    runs: Sequence[ComparedOperation]

    @property
    def values(self) -> list[float]:
        """Their best values."""
        return [run.best.value for run in self.runs if run.best]

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        first = self.runs[0].name or self.runs[0].id
        return first if len(self.runs) == 1 else f"{first} and {len(self.runs) - 1} replicas"


def significance(
    operations: Sequence[ComparedOperation], configs: Mapping[str, Mapping[str, Any]], *, maximize: bool
) -> Significance | None:
    """Compare the two best groups; None where nothing was measured that could tell.

    With two runs or more in each: Welch's interval (B. L. Welch, Biometrika 34, 1947). With one run each: the noise of
    a single value around its curve; it says nothing of what another seed would give, and the sentence says so.
    """
    groups = sorted(_groups(operations, configs), key=lambda group: fmean(group.values), reverse=maximize)
    if len(groups) < 2:
        return None
    first, second = groups[:2]
    if min(len(first.values), len(second.values)) >= 2:
        return _by_replicas(first, second)
    return _by_noise(first, second) if len(first.runs) == len(second.runs) == 1 else None


def _groups(operations: Sequence[ComparedOperation], configs: Mapping[str, Mapping[str, Any]]) -> list[Group]:
    found: dict[str, list[ComparedOperation]] = {}
    for run in operations:
        if run.best is not None and math.isfinite(run.best.value):
            settings = sorted((key, repr(value)) for key, value in configs[run.id].items() if key != SEED)
            found.setdefault(repr(settings), []).append(run)
    return [Group(runs=runs) for runs in found.values()]


def _by_replicas(first: Group, second: Group) -> Significance:
    parts = [stdev(group.values) ** 2 / len(group.values) for group in (first, second)]
    error = math.sqrt(sum(parts))
    spread = sum(part**2 / (len(group.values) - 1) for part, group in zip(parts, (first, second), strict=True))
    freedom = sum(parts) ** 2 / spread if spread else math.inf
    difference = fmean(first.values) - fmean(second.values)
    return _significance(first, second, difference, error, t_of(freedom), by="replicas")


def _by_noise(first: Group, second: Group) -> Significance | None:
    noises = [run.noise for run in (*first.runs, *second.runs)]
    if any(noise is None for noise in noises):
        return None
    error = math.hypot(*(noise for noise in noises if noise is not None))
    return _significance(first, second, first.values[0] - second.values[0], error, 1.96, by="noise")


def _significance(
    first: Group, second: Group, difference: float, error: float, t: float, *, by: Literal["replicas", "noise"]
) -> Significance:
    low, high = difference - t * error, difference + t * error
    is_evidence = low > 0 or high < 0
    reach = f"{spoken(abs(difference))} ± {spoken(t * error)}"
    source = (
        "over replicas by seed" if by == "replicas" else "within the noise of one run each; other seeds may differ more"
    )
    if is_evidence:
        sentence = f"{first.name} is ahead of {second.name} by {reach} ({source})."
    else:
        sentence = f"No evidence of a difference between {first.name} and {second.name}: {reach} ({source})."
    return Significance(
        is_evidence=is_evidence, by=by, difference=difference, error=error, low=low, high=high, sentence=sentence
    )


def t_of(freedom: float) -> float:
    """Return Student's 97.5 % quantile, rounded up between the degrees of freedom that are listed."""
    if freedom >= 30:
        return 1.96 if freedom > 1000 else 2.045
    index = max(1, int(freedom))
    return T_975[index - 1] if index <= len(T_975) else T_975[-1]
