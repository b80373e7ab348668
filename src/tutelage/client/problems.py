"""Problem documents of the API -> the errors they were made from, found by their code."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from pydantic import ValidationError

from tutelage.core.errors import EXIT_FAILED, EXIT_USAGE, TrainingError, TutelageError
from tutelage.core.wire import Problem


def error_from(problem: Problem) -> TutelageError:
    """Return the error that `problem` describes; one of an unknown code keeps its code and status."""
    known = {kind.code: kind for kind in error_types()}
    kind = known.get(problem.code) or _unknown_type(problem)
    return kind(problem.detail, hint=problem.hint, errors=problem.errors)


def problem_from(error: TutelageError) -> Problem:
    """Return the problem document of an error that arose on this side."""
    return Problem(
        type=f"urn:tutelage:error:{error.code}",
        title=error.code.replace("_", " "),
        status=error.status,
        detail=error.message,
        code=error.code,
        hint=error.hint,
        errors=list(error.errors),
    )


def raise_for_problem(response: httpx.Response) -> None:
    """Raise the error that an answer describes; an answer that succeeded passes."""
    if response.status_code < 400:
        return
    response.read()
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        text = f"the server answered {response.status_code} {response.reason_phrase} to {response.request.url.path}"
        raise TutelageError(text, hint="is this the address of a Tutelage of this version?") from None
    raise error_from(problem)


def error_types() -> Iterator[type[TutelageError]]:
    """Yield every error of the tree, a base before what derives from it; not those made here for unknown codes."""
    waiting: list[type[TutelageError]] = [TutelageError]
    while waiting:
        kind = waiting.pop(0)
        yield kind
        waiting.extend(derived for derived in kind.__subclasses__() if derived.__module__ != __name__)


def _unknown_type(problem: Problem) -> type[TutelageError]:
    """Make a type for a code that only the server knows, such as a service's own."""
    base = TrainingError if problem.status == TrainingError.status else TutelageError
    exit_code = EXIT_USAGE if problem.status in {400, 401, 403, 404, 405, 409, 413, 421} else EXIT_FAILED
    members = {"code": problem.code, "status": problem.status, "exit_code": exit_code, "__module__": __name__}
    return type(base.__name__, (base,), members)
