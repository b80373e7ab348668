"""How long something takes, in time of this process's CPU: medians, with the noise that was seen, beside an anchor.

Wall clocks of shared machines vary several times over; CPU time divided by that of a fixed kernel varies far less.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LEAST_S = 0.002
"""One measurement lasts at least this long: shorter calls are repeated."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The median of several measurements of one call, in seconds, and their spread."""

    median_s: float
    noise: float
    """1.4826 x median absolute deviation over the median: the relative standard deviation, if they were normal."""


def measure(call: Callable[[], object], *, rounds: int = 9, warmups: int = 2) -> Timing:
    """Time a call."""
    for _ in range(warmups):
        call()
    repeats = _repeats(call)
    found = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(repeats):
            call()
        found.append((time.process_time() - began) / repeats)
    median = statistics.median(found)
    spread = statistics.median(abs(each - median) for each in found)
    return Timing(median_s=median, noise=1.4826 * spread / median if median else 0.0)


def anchor(*, rounds: int = 9) -> Timing:
    """Time the anchor: a float32 product of 256 x 256 matrices in NumPy, which every machine has."""
    draw = np.random.default_rng(0)
    left, right = (draw.standard_normal((256, 256)).astype(np.float32) for _ in range(2))
    return measure(lambda: left @ right, rounds=rounds)


def _repeats(call: Callable[[], object]) -> int:
    began = time.process_time()
    num_calls = 0
    while time.process_time() - began < LEAST_S:
        call()
        num_calls += 1
    return num_calls
