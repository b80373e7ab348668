"""The life of an operation: its states, the moves between them, and what may be asked in each."""

from __future__ import annotations

from enum import StrEnum

from tutelage.core.commands import Verb
from tutelage.core.errors import IllegalCommand, NotSupported


class State(StrEnum):
    """Where an operation stands."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    STOPPING = "stopping"
    INTERRUPTED = "interrupted"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = frozenset({State.RUNNING, State.PAUSING, State.STOPPING})
"""States in which a worker process exists."""

QUEUED = frozenset({State.PENDING, State.RESUMING})
"""States that wait for a slot."""

ENDED = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})
"""States that end by themselves no more; `failed` and `cancelled` may be resumed by a command."""

TRANSITIONS: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.RUNNING, State.CANCELLED, State.FAILED}),
    State.RUNNING: frozenset(
        {State.PAUSING, State.STOPPING, State.PAUSED, State.INTERRUPTED, State.COMPLETED, State.FAILED, State.CANCELLED}
    ),
    State.PAUSING: frozenset(
        {State.PAUSED, State.INTERRUPTED, State.COMPLETED, State.FAILED, State.CANCELLED, State.STOPPING}
    ),
    State.PAUSED: frozenset({State.RESUMING, State.CANCELLED}),
    State.RESUMING: frozenset({State.RUNNING, State.CANCELLED, State.FAILED}),
    State.STOPPING: frozenset({State.PAUSED, State.COMPLETED, State.INTERRUPTED, State.FAILED, State.CANCELLED}),
    State.INTERRUPTED: frozenset({State.RESUMING, State.FAILED, State.CANCELLED}),
    State.FAILED: frozenset({State.RESUMING}),
    State.CANCELLED: frozenset({State.RESUMING}),
    State.COMPLETED: frozenset(),
}

LEGAL: dict[State, tuple[Verb, ...]] = {
    State.PENDING: (Verb.CANCEL, Verb.TUNE),
    State.RUNNING: (Verb.PAUSE, Verb.STOP, Verb.CANCEL, Verb.CHECKPOINT, Verb.TUNE, Verb.BRANCH),
    State.PAUSING: (Verb.CANCEL,),
    State.STOPPING: (Verb.CANCEL,),
    State.RESUMING: (Verb.CANCEL,),
    State.PAUSED: (Verb.RESUME, Verb.STOP, Verb.CANCEL, Verb.TUNE, Verb.BRANCH),
    State.INTERRUPTED: (Verb.RESUME, Verb.BRANCH),
    State.FAILED: (Verb.RESUME, Verb.BRANCH),
    State.CANCELLED: (Verb.RESUME, Verb.BRANCH),
    State.COMPLETED: (Verb.BRANCH,),
}
"""The commands each state allows, before the service's `supports` is asked."""

NEEDS_SUPPORT: dict[Verb, str] = {
    Verb.PAUSE: "checkpoint",
    Verb.CHECKPOINT: "checkpoint",
    Verb.TUNE: "tune",
    Verb.BRANCH: "branch",
}
"""Verb -> the word that the service must have in `supports`."""

NEEDS_CHECKPOINT = frozenset({State.INTERRUPTED, State.FAILED, State.CANCELLED})
"""States from which `resume` and `branch` need a checkpoint."""


def commands_of(
    state: State, *, supports: frozenset[str], approval: bool = False, has_checkpoint: bool = True
) -> dict[Verb, str | None]:
    """Return each verb the state allows -> None, or the reason why it is refused all the same."""
    verbs = LEGAL[state] + ((Verb.APPROVE, Verb.REJECT) if approval and state is State.PAUSED else ())
    return {verb: _refusal(verb, state, supports, has_checkpoint) for verb in verbs}


def check_command(
    verb: Verb, state: State, *, supports: frozenset[str], approval: bool = False, has_checkpoint: bool = True
) -> None:
    """Raise IllegalCommand or NotSupported unless `verb` may be asked now.

    The error says what is legal in this state.
    """
    commands = commands_of(state, supports=supports, approval=approval, has_checkpoint=has_checkpoint)
    legal = [str(name) for name, reason in commands.items() if reason is None]
    hint = f"legal now: {', '.join(legal) or 'nothing'}"
    if verb not in commands:
        raise IllegalCommand(f"{verb} is not legal while the operation is {state}", hint=hint)
    reason = commands[verb]
    if reason and reason.startswith("not_supported"):
        raise NotSupported(reason.removeprefix("not_supported: "), hint=hint)
    if reason:
        raise IllegalCommand(reason, hint=hint)


def check_transition(old: State, new: State) -> None:
    """Assert that the table allows the move; anything else is a bug of ours."""
    assert new in TRANSITIONS[old], f"no transition {old} -> {new}"


def _refusal(verb: Verb, state: State, supports: frozenset[str], has_checkpoint: bool) -> str | None:
    need = NEEDS_SUPPORT.get(verb)
    if need and need not in supports:
        offered = ", ".join(sorted(supports)) or "nothing optional"
        return f"not_supported: {verb} needs a service that supports {need}; this one supports {offered}"
    if verb is Verb.RESUME and state in NEEDS_CHECKPOINT and not has_checkpoint:
        return "resume needs a checkpoint and this operation has none; submit the spec again"
    if verb is Verb.BRANCH and not has_checkpoint:
        return "branch needs a checkpoint and this operation has none yet"
    return None
