"""What an oracle answers about one shader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Message:
    """One thing an oracle says; `line` and `column` count from 1 in characters, None where it names no place."""

    text: str
    severity: Literal["error", "warning", "note"] = "error"
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether one oracle accepts a shader, what it says, and which compiler of which version said it."""

    ok: bool
    messages: tuple[Message, ...] = ()
    oracle: str
    version: str

    def document(self) -> dict[str, Any]:
        """Return the verdict as JSON holds it."""
        return asdict(self)


def refusal(messages: Sequence[Message], *, oracle: str, version: str) -> Verdict:
    """Return the verdict that says no."""
    return Verdict(ok=False, messages=tuple(messages), oracle=oracle, version=version)


def place_of(code: str, offset: int) -> tuple[int, int]:
    """Return line and column, from 1, of the character at `offset`."""
    before = code[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")
