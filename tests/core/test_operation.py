"""The table of states and legal commands, as DESIGN writes it down."""

from __future__ import annotations

import pytest

from tutelage.core.commands import Verb, check_args
from tutelage.core.errors import IllegalCommand, InvalidSpec, NotSupported
from tutelage.core.operation import ENDED, LEGAL, LIVE, QUEUED, TRANSITIONS, State, check_command, commands_of

EVERYTHING = frozenset({"checkpoint", "branch", "tune"})

TABLE = {
    "pending": "cancel tune",
    "running": "pause stop cancel checkpoint tune branch",
    "pausing": "cancel",
    "stopping": "cancel",
    "resuming": "cancel",
    "paused": "resume stop cancel tune branch",
    "interrupted": "resume branch",
    "failed": "resume branch",
    "cancelled": "resume branch",
    "completed": "branch",
}


@pytest.mark.parametrize(("state", "legal"), TABLE.items())
def test_each_state_allows_just_these_commands(state: str, legal: str) -> None:
    assert set(commands_of(State(state), supports=EVERYTHING)) == {Verb(name) for name in legal.split()}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("verb", list(Verb))
def test_a_command_is_taken_or_refused_with_what_is_legal(state: State, verb: Verb) -> None:
    if verb in LEGAL[state]:
        check_command(verb, state, supports=EVERYTHING)
        return
    with pytest.raises(IllegalCommand) as refused:
        check_command(verb, state, supports=EVERYTHING)
    assert all(str(name) in refused.value.hint for name in LEGAL[state])


@pytest.mark.parametrize(
    ("verb", "state", "missing"),
    [
        ("pause", "running", "checkpoint"),
        ("checkpoint", "running", "checkpoint"),
        ("tune", "running", "tune"),
        ("tune", "pending", "tune"),
        ("tune", "paused", "tune"),
        ("branch", "running", "branch"),
        ("branch", "completed", "branch"),
    ],
)
def test_a_verb_that_the_service_lacks_is_not_supported(verb: str, state: str, missing: str) -> None:
    with pytest.raises(NotSupported, match=missing):
        check_command(Verb(verb), State(state), supports=EVERYTHING - {missing})


@pytest.mark.parametrize("state", ["interrupted", "failed", "cancelled"])
def test_resume_needs_a_checkpoint(state: str) -> None:
    with pytest.raises(IllegalCommand, match="checkpoint"):
        check_command(Verb.RESUME, State(state), supports=EVERYTHING, has_checkpoint=False)


def test_approve_and_reject_are_legal_only_while_an_approval_is_waited_for() -> None:
    for verb in (Verb.APPROVE, Verb.REJECT):
        check_command(verb, State.PAUSED, supports=EVERYTHING, approval=True)
        with pytest.raises(IllegalCommand):
            check_command(verb, State.PAUSED, supports=EVERYTHING)
        with pytest.raises(IllegalCommand):
            check_command(verb, State.RUNNING, supports=EVERYTHING, approval=True)


def test_every_state_is_in_both_tables_and_can_be_reached() -> None:
    assert set(LEGAL) == set(TRANSITIONS) == set(State)
    reached = {State.PENDING}.union(*TRANSITIONS.values())
    assert reached == set(State)
    assert TRANSITIONS[State.COMPLETED] == frozenset()
    assert not LIVE & QUEUED
    assert not LIVE & ENDED


@pytest.mark.parametrize(
    ("verb", "args"),
    [("tune", {}), ("stop", {"now": True}), ("branch", {"form": "best"}), ("pause", {"x": 1})],
)
def test_arguments_of_the_wrong_form_are_refused(verb: str, args: dict[str, object]) -> None:
    with pytest.raises(InvalidSpec):
        check_args(Verb(verb), args)
