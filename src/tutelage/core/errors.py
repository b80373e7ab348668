"""The one tree of errors: each has a stable code, an HTTP status, an exit code, a message and a hint."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import ClassVar

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_ADVISED = 0, 1, 2, 3


class TutelageError(Exception):
    """Anything Tutelage refuses or fails at, said so that the reader knows what to do next.

    `message` says what is wrong and what was got; `hint` what is allowed and what to do;
    `errors` lists the single places, as `{"at": "config.epochs", "message": ...}`.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = EXIT_FAILED

    def __init__(self, message: str, *, hint: str = "", errors: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return self.message


class InvalidSpec(TutelageError):
    """A spec, config or argument that cannot be taken as it is."""

    code, status, exit_code = "invalid_spec", 422, EXIT_USAGE


class UnknownName(InvalidSpec):
    """A name that is not in the list it must be in."""

    code = "unknown_name"


class NotYet(TutelageError):
    """Part of the contract, but not built yet; refused by name."""

    code, status, exit_code = "not_yet", 501, EXIT_USAGE


class NotFound(TutelageError):
    """Nothing here has that id or name."""

    code, status, exit_code = "not_found", 404, EXIT_USAGE


class IllegalCommand(TutelageError):
    """A command that the operation's state does not allow."""

    code, status, exit_code = "illegal_command", 409, EXIT_USAGE


class NotSupported(IllegalCommand):
    """A command that the operation's service does not support."""

    code = "not_supported"


class IdempotencyConflict(TutelageError):
    """One idempotency key used for two different requests."""

    code, status, exit_code = "idempotency_conflict", 409, EXIT_USAGE


class Forbidden(TutelageError):
    """The principal may not do this."""

    code, status, exit_code = "forbidden", 403, EXIT_USAGE


class Unauthorized(TutelageError):
    """No token, or one that is unknown, revoked or expired."""

    code, status, exit_code = "unauthorized", 401, EXIT_USAGE


class WrongHost(TutelageError):
    """A request for a host name that this server does not answer to."""

    code, status, exit_code = "wrong_host", 421, EXIT_USAGE


class RateLimited(TutelageError):
    """More requests than the principal may send; the answer says when to try again."""

    code, status = "rate_limited", 429
    retry_after_s: int = 1


class TooLarge(TutelageError):
    """A request or document over its size limit."""

    code, status, exit_code = "too_large", 413, EXIT_USAGE


class DiskFull(TutelageError):
    """The disk under the home has no room; what was acknowledged is kept."""

    code, status = "disk_full", 507


class DatabaseLocked(TutelageError):
    """Another process holds the home's database."""

    code, status = "database_locked", 503


class SupervisorUnreachable(TutelageError):
    """No supervisor answers at the address."""

    code, status = "supervisor_unreachable", 503


class HostUnreachable(SupervisorUnreachable):
    """A host that the settings name does not answer, or not to this token."""

    code = "host_unreachable"


class VersionMismatch(TutelageError):
    """A host runs a version of Tutelage that this one cannot follow."""

    code, status, exit_code = "version_mismatch", 409, EXIT_USAGE


class TrainingError(TutelageError):
    """A failure of the training itself; a service derives its own codes from it."""

    code, status = "training_failed", 422


class MemoryLimit(TrainingError):
    """The operation asked for more memory than its spec allows."""

    code = "memory_limit"


class NonFiniteGradient(TrainingError):
    """A loss, gradient or weight became NaN or infinite, and the plan does not skip that, or not any more."""

    code = "non_finite"


class WallTime(TrainingError):
    """The operation did not end within `max_wall_s` and its grace."""

    code = "wall_time"


class WorkerLost(TrainingError):
    """The worker died more often without a new checkpoint than `max_restarts` allows."""

    code = "worker_lost"


class HostLost(TrainingError):
    """The host knows nothing of the operation any more: it was removed there."""

    code = "host_lost"


class MissingDependency(TrainingError):
    """A library that this feature needs is not installed."""

    code = "missing_dependency"


class ServiceBroken(TutelageError):
    """A registered service whose declaration cannot be imported."""

    code, status = "service_broken", 500


class DamagedFile(TrainingError):
    """A file whose hash, signature or form does not hold."""

    code = "damaged_file"


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name closest to `name`, or None where nothing is close."""
    choices = {choice.lower(): choice for choice in allowed}
    found = difflib.get_close_matches(name.lower(), choices, n=1, cutoff=0.5)
    return choices[found[0]] if found else None


def unknown(kind: str, name: str, allowed: Iterable[str]) -> UnknownName:
    """Build the error for an unknown name: the nearest match and the whole list."""
    names = sorted(allowed)
    close = nearest(name, names)
    question = f" Did you mean {close!r}?" if close else ""
    return UnknownName(f"unknown {kind} {name!r}.{question}", hint=f"allowed: {', '.join(names)}")
