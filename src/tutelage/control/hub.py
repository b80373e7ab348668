"""Tells whoever watches that something was stored: threads that wait, and event loops that stream."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Hub:
    """A counter of stored changes with a bell."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wakers: set[Callable[[], object]] = set()
        self.version = 0
        self.last_request = time.monotonic()

    def ring(self) -> None:
        """Wake everybody; called after a commit."""
        with self._changed:
            self.version += 1
            self._changed.notify_all()
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    def wait(self, seen: int, timeout_s: float) -> int:
        """Block until something was stored after `seen` or the time is over; return the present version."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != seen, timeout=max(0.0, timeout_s))
            return self.version

    def touch(self) -> None:
        """Note that somebody asked something just now."""
        self.last_request = time.monotonic()

    @property
    def num_watchers(self) -> int:
        """How many streams are open."""
        return len(self._wakers)

    @contextmanager
    def listening(self, wake: Callable[[], object]) -> Iterator[None]:
        """Have `wake` called at each change; it must be quick and safe from any thread."""
        with self._changed:
            self._wakers.add(wake)
        try:
            yield
        finally:
            with self._changed:
                self._wakers.discard(wake)
