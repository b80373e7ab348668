"""The commands that reach a search: what they ask for, when they must take effect, and the answers to them."""

from __future__ import annotations

import time
from collections.abc import Callable

from tutelage.core.commands import ENDING, Command, Verb
from tutelage.core.ports import Run

POLITE_S = 5.0
"""Time a running fit is given to end by itself after a pause or stop."""

OnTune = Callable[[Command], str | None]
"""Takes a tune; returns why it cannot be followed, or None."""


class Asked:
    """Reads commands while fits run. `ending` is what the search must end for; a cancel overrides the rest."""

    def __init__(self, run: Run, *, on_tune: OnTune, on_checkpoint: Callable[[], int]) -> None:
        self._run = run
        self._on_tune, self._on_checkpoint = on_tune, on_checkpoint
        self._open: list[Command] = []
        self._since_s = 0.0
        self.finishing = False
        self.has_rounds_to_end = False
        """Whether what finishes learns in rounds, and a stop may end it before the last."""

    @property
    def ending(self) -> Verb | None:
        """The verb to kill a fit for, or None; once the run is finishing, a `stop` is no such verb."""
        verbs = [command.verb for command in self._open]
        if Verb.CANCEL in verbs:
            return Verb.CANCEL
        others = [verb for verb in verbs if not (self.finishing and verb is Verb.STOP)]
        return others[-1] if others else None

    @property
    def may_end(self) -> bool:
        """Whether a stop waits for what finishes to end with the round it is in."""
        return self.finishing and any(command.verb is Verb.STOP for command in self._open)

    def look(self) -> None:
        """Take every command that has arrived."""
        while (command := self._run.next_command()) is not None:
            self.take(command)

    def take(self, command: Command) -> None:
        """Follow a command, or note that it is to be ended for."""
        if command.verb in ENDING:
            self._since_s = self._since_s if self._open else time.monotonic()
            self._open.append(command)
            if self.finishing and command.verb is Verb.STOP and not self.has_rounds_to_end:
                self.answer(step=None, detail="the search has ended; the final fit and test are finished")
        elif command.verb is Verb.CHECKPOINT:
            self._run.applied(command, step=self._on_checkpoint())
        elif command.verb is Verb.TUNE:
            refusal = self._on_tune(command)
            if refusal:
                self._run.refused(command, reason=refusal)
        else:
            self._run.refused(command, reason=f"tabular does not take {command.verb}")

    def must_end(self) -> bool:
        """Look, and tell whether the running fit must be killed now: a cancel at once, others after 5 s."""
        self.look()
        ending = self.ending
        if ending is None:
            return False
        return ending is Verb.CANCEL or time.monotonic() - self._since_s >= POLITE_S

    def answer(self, *, step: int | None, detail: str = "") -> None:
        """Say that what was asked took effect."""
        for command in self._open:
            self._run.applied(command, step=step, detail=detail)
        self._open.clear()


class Waiting:
    """Holds commands that arrive before there is a search to take them; what runs until then is given up at once."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._held: list[Command] = []

    def must_end(self) -> bool:
        """Look, and tell whether somebody has asked to end."""
        while (command := self._run.next_command()) is not None:
            self._held.append(command)
        return any(command.verb in ENDING for command in self._held)

    def hand_over(self, asked: Asked) -> None:
        """Let the search take what has arrived, in its order."""
        for command in self._held:
            asked.take(command)
        self._held.clear()
