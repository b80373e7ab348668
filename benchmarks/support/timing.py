"""Wall and CPU time of calls, and their medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Seconds that something took: by the clock, and of this process's CPU, all its threads together."""

    wall_s: float
    cpu_s: float


def cost_of(call: Callable[[], Any]) -> Cost:
    """Call once and return what it took."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    call()
    return Cost(cpu_s=time.process_time() - cpu_s, wall_s=time.perf_counter() - wall_s)


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Return the medians of wall and CPU time, each for itself."""
    return Cost(
        wall_s=statistics.median(cost.wall_s for cost in costs), cpu_s=statistics.median(cost.cpu_s for cost in costs)
    )


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
