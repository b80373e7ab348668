"""What a learner says of its rounds: reports of each, and how many there were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Report = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class RoundCount:
    """Rounds trained, and those after which the validation loss was best."""

    trained: int | None
    best: int | None
