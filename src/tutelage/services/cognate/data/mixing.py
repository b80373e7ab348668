"""Mixing samples: so many short, so many long, chosen by the seed; nothing is thrown away to keep a share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tutelage.services.cognate.data.sample import Sample


@dataclass(frozen=True, kw_only=True)
class Mix:
    """The chosen samples in their order, and what the mix came out as."""

    samples: Sequence[Sample]
    num_short: int
    num_long: int
    note: str
    """What differs from the share that was asked for; empty where nothing does."""

    @property
    def by_dataset(self) -> dict[str, int]:
        """Number of samples of each dataset."""
        return dict(sorted(Counter(sample.dataset for sample in self.samples).items()))


def mix(samples: Sequence[Sample], *, short_share: float, at_most: int, seed: int) -> Mix:
    """Choose up to `at_most` samples, `short_share` of them short where there are enough of both kinds."""
    draw = np.random.default_rng([seed, 1])
    order = draw.permutation(len(samples))
    short = [int(index) for index in order if samples[index].seq_type == "short"]
    long = [int(index) for index in order if samples[index].seq_type == "long"]
    total = min(at_most, len(samples))
    num_short = min(len(short), round(total * short_share))
    num_long = min(len(long), total - num_short)
    num_short = min(len(short), total - num_long)
    chosen = [*short[:num_short], *long[:num_long]]
    shuffled = [samples[chosen[index]] for index in draw.permutation(len(chosen))]
    return Mix(
        samples=shuffled,
        num_short=num_short,
        num_long=num_long,
        note=_note(short_share, num_short=num_short, num_long=num_long),
    )


def _note(asked: float, *, num_short: int, num_long: int) -> str:
    total = num_short + num_long
    found = num_short / total if total else 0.0
    if not total or abs(found - asked) <= 1 / total:
        return ""
    lacking = "long" if found > asked else "short"
    return (
        f"{found:.0%} of the samples are short, {asked:.0%} were asked for: there are no more {lacking} ones, "
        "and none was thrown away"
    )
