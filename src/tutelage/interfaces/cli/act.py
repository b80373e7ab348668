"""Commands that act on a run; each lands in the ledger with who asked and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutelage.core.commands import Verb
from tutelage.interfaces.cli.options import AsJson, OperationId, Reason, Sets

if TYPE_CHECKING:
    from tutelage.core.wire import Decision

EFFECTS = {
    Verb.STOP: "It keeps its best, evaluates it and completes.",
    Verb.PAUSE: "It saves a checkpoint and frees the machine.",
    Verb.RESUME: "It goes on from its newest checkpoint as soon as a slot is free.",
    Verb.CANCEL: "It ends without a result; its checkpoints are kept.",
    Verb.CHECKPOINT: "It saves its state at the next step.",
    Verb.TUNE: "It goes on with the new values from the next step.",
    Verb.BRANCH: "The new operation starts as soon as a slot is free.",
    Verb.APPROVE: "It goes on.",
    Verb.REJECT: "It does not do what it asked for.",
}
"""What each verb does, once it is accepted."""


def stop(operation_id: OperationId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Finish early and well: best checkpoint, final evaluation, result."""
    _command(operation_id, Verb.STOP, {}, reason, as_json=as_json)


def pause(operation_id: OperationId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Save a checkpoint and free the machine."""
    _command(operation_id, Verb.PAUSE, {}, reason, as_json=as_json)


def resume(operation_id: OperationId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Go on from the newest checkpoint."""
    _command(operation_id, Verb.RESUME, {}, reason, as_json=as_json)


def cancel(operation_id: OperationId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Abandon: no result; checkpoints are kept."""
    _command(operation_id, Verb.CANCEL, {}, reason, as_json=as_json)


def checkpoint(operation_id: OperationId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Save the state now."""
    _command(operation_id, Verb.CHECKPOINT, {}, reason, as_json=as_json)


def approve(operation_id: OperationId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Say yes to what an operation asks for."""
    _command(operation_id, Verb.APPROVE, {}, reason, as_json=as_json)


def reject(operation_id: OperationId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Say no to what an operation asks for."""
    _command(operation_id, Verb.REJECT, {}, reason, as_json=as_json)


def tune(
    operation_id: OperationId,
    values: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="New values of tunable settings.")],
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Change settings of a run while it runs."""
    _command(operation_id, Verb.TUNE, _pairs(values), reason, as_json=as_json)


def branch(
    operation_id: OperationId,
    from_: Annotated[str, typer.Option("--from", metavar="best|last|STEP", help="The checkpoint.")] = "best",
    sets: Sets = None,
    name: Annotated[str | None, typer.Option("--name", "-n", help="A name for the new operation.")] = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Start a new operation from a checkpoint of this one, with other settings."""
    args: dict[str, Any] = {"from": int(from_) if from_.isdecimal() else from_}
    if sets:
        args["set"] = _pairs(sets)
    if name:
        args["name"] = name
    _command(operation_id, Verb.BRANCH, args, reason, as_json=as_json)


def _pairs(texts: list[str]) -> dict[str, Any]:
    from tutelage.client import parse_override

    return {".".join(key): value for key, value in map(parse_override, texts)}


def _command(operation_id: str, verb: Verb, args: dict[str, Any], reason: str, *, as_json: bool) -> None:
    from tutelage.core.wire import CommandRequest
    from tutelage.interfaces.cli.session import find, print_json, session

    with session() as client:
        found = find(client, operation_id)
        decision = client.command(found, CommandRequest(verb=verb, args=args, reason=reason))
    print_json(decision) if as_json else _show(decision)


def _show(decision: Decision) -> None:
    from tutelage.interfaces.cli.show import decision_line
    from tutelage.interfaces.cli.terminal import say
    from tutelage.interfaces.cli.words import short

    say(f"Recorded: {decision_line(decision)}", decision.detail or EFFECTS[decision.verb])
    if decision.created:
        say(f"New operation: {decision.created}", "", f"  tutelage follow {short(decision.created)}")
