"""Token buckets: how many requests somebody may send at once, and how fast the bucket fills again."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable

from tutelage.core.errors import RateLimited

MAX_KEYS = 10_000
"""Buckets kept; the one that was used longest ago is forgotten, which is to say full."""


class Buckets:
    """One bucket a key, of `burst` requests, filled with `per_s` of them each second."""

    def __init__(self, *, burst: float, per_s: float, clock: Callable[[], float]) -> None:
        self._burst, self._per_s, self._clock = burst, per_s, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> None:
        """Take one request out of a bucket. Raises RateLimited, with the seconds to wait, where it is empty."""
        now = self._clock()
        with self._lock:
            left, at = self._left.get(key, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._per_s)
            self._left[key] = (left - 1 if left >= 1 else left, now)
            self._left.move_to_end(key)
            while len(self._left) > MAX_KEYS:
                self._left.popitem(last=False)
        if left < 1:
            error = RateLimited(
                f"more than {self._burst:g} requests at once, or {self._per_s:g} a second for long",
                hint="Retry-After says how many seconds to wait; a stream of events costs one request",
            )
            error.retry_after_s = max(1, math.ceil((1 - left) / self._per_s))
            raise error
