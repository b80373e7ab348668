"""Each error of the tree survives the way over HTTP."""

from __future__ import annotations

import pytest

from tutelage.client.problems import error_from, error_types, problem_from
from tutelage.core.errors import EXIT_FAILED, EXIT_USAGE, TrainingError, TutelageError
from tutelage.core.wire import Problem

OURS = [kind for kind in error_types() if kind.__module__ == "tutelage.core.errors"]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_error_comes_back_as_itself(kind: type[TutelageError]) -> None:
    sent = kind("what is wrong", hint="what to do", errors=[{"at": "config.lr", "message": "too large"}])
    back = error_from(Problem.model_validate_json(problem_from(sent).model_dump_json()))
    assert type(back) is kind
    assert (back.message, back.hint, back.errors) == (sent.message, sent.hint, sent.errors)


def test_the_codes_are_distinct() -> None:
    assert len({kind.code for kind in OURS}) == len(OURS)


@pytest.mark.parametrize(
    ("status", "base", "exit_code"),
    [(422, TrainingError, EXIT_FAILED), (404, TutelageError, EXIT_USAGE), (500, TutelageError, EXIT_FAILED)],
)
def test_an_unknown_code_is_kept(status: int, base: type[TutelageError], exit_code: int) -> None:
    problem = Problem(type="t", title="t", status=status, detail="d", code="no_such_code", hint="h")
    error = error_from(problem)
    assert isinstance(error, base)
    assert (error.code, error.status, error.hint, error.exit_code) == ("no_such_code", status, "h", exit_code)
