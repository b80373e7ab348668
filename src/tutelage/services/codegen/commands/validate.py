"""`tutelage codegen validate FILE`: does a shader compile? Printed as compilers do: file:line:column: what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from tutelage.core.errors import NotFound
from tutelage.core.spec import Document
from tutelage.services.codegen.oracle import NagaOracle, Oracle, TintOracle, Verdict
from tutelage.services.codegen.oracle.prechecks import MAX_BYTES

INVALID = 1
"""Exit code where an oracle refuses the shader."""


class ValidateArguments(Document):
    """Which shader, and who judges it."""

    file: str = Field(description="a WGSL file")
    oracle: Literal["tint", "naga", "both"] = Field("tint", description="the compiler asked; both: each must accept it")
    function: str | None = Field(None, description="a function that the shader must declare")


def validate(arguments: ValidateArguments) -> dict[str, Any]:
    """Judge one file. Raises NotFound for a file that cannot be read, MissingDependency for an absent compiler."""
    code = _read(Path(arguments.file))
    verdicts = [_ask(oracle, code, arguments.function) for oracle in _oracles(arguments.oracle)]
    is_ok = all(verdict.ok for verdict in verdicts)
    return {
        "ok": is_ok,
        "file": arguments.file,
        "verdicts": [verdict.document() for verdict in verdicts],
        "text": [line for verdict in verdicts for line in _lines(arguments.file, verdict)],
        "exit_code": 0 if is_ok else INVALID,
    }


def _read(path: Path) -> str:
    """Return a file's text, no more of it than shows that it is too long; bytes that are not UTF-8 stay visible."""
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1).decode(errors="surrogateescape")
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}", hint="name a WGSL file") from error


def _oracles(asked: str) -> Iterator[Oracle]:
    if asked in ("tint", "both"):
        yield TintOracle()
    if asked in ("naga", "both"):
        yield NagaOracle()


def _ask(oracle: Oracle, code: str, function: str | None) -> Verdict:
    try:
        return oracle.check(code, function=function)
    finally:
        oracle.close()


def _lines(file: str, verdict: Verdict) -> Iterator[str]:
    for message in verdict.messages:
        place = f":{message.line}:{message.column}" if message.line is not None else ""
        yield f"{file}{place}: {message.severity}: {message.text} [{verdict.oracle}]"
    if verdict.ok:
        yield f"{file}: accepted by {verdict.oracle} ({verdict.version})"
