"""Operations as the wire gives them, and the text that a renderer makes of something."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console, RenderableType

from tutelage.core import wire

WHEN = "2026-01-31T12:00:00.000Z"
ID = "op_01kdqv6v00abcdefghjkmnpqrs"


@dataclass(frozen=True)
class Ran:
    """What a command line left: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.out)
        return found


Cli = Callable[..., Ran]


def operation(**changes: Any) -> wire.Operation:
    base: dict[str, Any] = {
        "id": ID,
        "service": "fake",
        "name": "churn",
        "state": "running",
        "phase": "search",
        "attempt": 1,
        "created_at": WHEN,
        "started_at": WHEN,
        "metrics": {"unit": "step"},
    }
    return wire.Operation.model_validate({**base, **changes})


def assessment(**changes: Any) -> dict[str, Any]:
    base = {
        "verdict": "improving",
        "sentence": "val_loss still falls by 0.0021 a step.",
        "recommendation": {"do": "continue"},
    }
    return {**base, **changes}


def text(*parts: RenderableType, width: int = 80) -> str:
    console = Console(width=width, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return captured.get()
