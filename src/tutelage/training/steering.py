"""Commands at step boundaries: pause, stop, cancel, checkpoint, tune."""

from __future__ import annotations

from collections.abc import Callable

from tutelage.core.commands import ENDING, Command, Verb
from tutelage.core.errors import InvalidSpec
from tutelage.core.ports import Control
from tutelage.training.outcome import Ending
from tutelage.training.tuning import Tuning
from tutelage.training.world import ALONE, World

LEAVING = frozenset({Verb.PAUSE, Verb.CANCEL})


def obey(
    control: Control, tuning: Tuning, *, step: int, save: Callable[[], bool], world: World = ALONE
) -> Ending | None:
    """Follow what was asked since the last boundary; return the verb that ends the training, if one does.

    `save` writes a checkpoint of this step and tells whether it is there. Rank 0 hears, every rank follows.
    """
    while (command := _next(control, world)) is not None:
        ending = _follow(control, tuning, command, step=step, save=save)
        if ending is not None:
            return ending
    return None


def _next(control: Control, world: World) -> Command | None:
    """Return rank 0's next command on every rank; one small exchange where there is none."""
    command = control.next_command() if world.is_main else None
    if world.largest(float(command is not None)) == 0:
        return None
    shared: Command = world.shared(command)
    return shared


def _follow(
    control: Control, tuning: Tuning, command: Command, *, step: int, save: Callable[[], bool]
) -> Ending | None:
    detail = ""
    if command.verb is Verb.TUNE:
        try:
            detail = tuning.change(command.args)
        except InvalidSpec as error:
            control.refused(command, reason=error.message)
            return None
    elif command.verb is Verb.CHECKPOINT:
        if not save():
            control.refused(command, reason="the checkpoint could not be written; the log says why")
            return None
    elif command.verb in LEAVING:
        detail = "" if save() else "no checkpoint could be written: it goes on from the one before"
    elif command.verb is not Verb.STOP:
        control.refused(command, reason=f"a training does not hear {command.verb}")
        return None
    control.applied(command, step=step, detail=detail)
    return _ending(command) if command.verb in ENDING else None


def _ending(command: Command) -> Ending:
    if command.verb is Verb.STOP:
        return "stop"
    return "pause" if command.verb is Verb.PAUSE else "cancel"
