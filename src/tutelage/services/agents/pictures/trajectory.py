"""A trajectory: the scene of each step of some episodes with what was said, as the JSON that the page animates."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tutelage.core.atomic import write_bytes

FORMAT = "tutelage-trajectory-1"
MAX_FRAMES = 600
"""Longer episodes are cut here: about 200 kB of JSON."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """A word on its way, by the names of its agents; it is drawn in the step in which it was said."""

    speaker: str
    hearers: tuple[str, ...]
    word: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"from": self.speaker, "to": list(self.hearers), "word": self.word}


@dataclass(kw_only=True)
class Trajectory:
    """Frames of one or more episodes, one after the other."""

    environment: str
    agents: tuple[str, ...]
    frames: list[dict[str, Any]] = field(default_factory=list)

    @property
    def room(self) -> int:
        """How many frames have a place yet."""
        return max(0, MAX_FRAMES - len(self.frames))

    @property
    def is_full(self) -> bool:
        """Whether no frame has a place any more."""
        return self.room == 0

    def add(
        self,
        *,
        episode: int,
        step: int,
        scene: dict[str, Any],
        messages: Sequence[Message] = (),
        rewards: Sequence[float] = (),
    ) -> None:
        """Add the scene before a step, what is said in it, and the reward of the step by agent."""
        if self.is_full:
            return
        self.frames.append(
            {
                "episode": episode,
                "step": step,
                "scene": scene,
                "messages": [message.as_dict() for message in messages],
                "rewards": [round(float(reward), 4) for reward in rewards],
            }
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        head = {"format": FORMAT, "environment": self.environment, "agents": list(self.agents)}
        return {**head, "frames": self.frames}

    def save(self, path: Path) -> None:
        """Write it as JSON, without blanks."""
        write_bytes(path, json.dumps(self.as_dict(), separators=(",", ":"), allow_nan=False).encode())
