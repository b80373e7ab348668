"""What may be asked of an operation, and the form in which a worker reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tutelage.core.errors import InvalidSpec


class Verb(StrEnum):
    """A command's name."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    CANCEL = "cancel"
    CHECKPOINT = "checkpoint"
    TUNE = "tune"
    BRANCH = "branch"
    APPROVE = "approve"
    REJECT = "reject"


FOR_WORKER = frozenset({Verb.PAUSE, Verb.STOP, Verb.CANCEL, Verb.CHECKPOINT, Verb.TUNE, Verb.APPROVE})
"""Verbs that travel to the worker through `commands.ndjson`."""

ENDING = frozenset({Verb.PAUSE, Verb.STOP, Verb.CANCEL})
"""Verbs after which the worker ends."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command as the training loop sees it, at a step boundary.

    `id` names the decision in the ledger; `args` are the tuned values of a `tune`, else empty.
    """

    id: str
    verb: Verb
    args: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""

    def line(self) -> dict[str, Any]:
        """Return the command as one line of `commands.ndjson`."""
        return {"id": self.id, "verb": str(self.verb), "args": dict(self.args), "reason": self.reason}

    @classmethod
    def from_line(cls, line: Mapping[str, Any]) -> Command:
        """Read one line of `commands.ndjson`."""
        return cls(id=line["id"], verb=Verb(line["verb"]), args=line["args"], reason=line["reason"])


def check_args(verb: Verb, args: Mapping[str, Any]) -> None:
    """Raise InvalidSpec unless `args` are of the verb's form; the values of a tune are checked by its service."""
    if verb is Verb.TUNE:
        if not args:
            raise InvalidSpec("tune needs at least one key=value", hint="see `tunables` of the service")
    elif verb is Verb.BRANCH:
        unknown = sorted(set(args) - {"from", "set", "name"})
        if unknown:
            raise InvalidSpec(f"branch does not take {', '.join(unknown)}", hint="allowed: from, set, name")
    elif args:
        raise InvalidSpec(f"{verb} takes no arguments, got {', '.join(sorted(args))}")
