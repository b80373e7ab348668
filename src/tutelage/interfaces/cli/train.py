"""`tutelage train`: a spec becomes an operation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutelage.core.errors import TrainingError, TutelageError
from tutelage.interfaces.cli.options import AsJson, Sets

if TYPE_CHECKING:
    from tutelage.client import Client
    from tutelage.core.wire import DryRun, Operation


def train(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="A JSON, YAML or TOML file, or JSON text.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Watch it live until it ends.")] = False,
    sets: Sets = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Wait, and write the result document here.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the spec, start nothing.")] = False,
    name: Annotated[str | None, typer.Option("--name", "-n", help="A name for people.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train what a spec asks for."""
    from tutelage.client import load_document, with_uploads
    from tutelage.interfaces.cli.session import session

    try:
        document = load_document(spec, sets or ())
        with session(new_home=True) as client:
            document = with_uploads(client, document)
            if dry_run:
                return _show_dry_run(client.dry_run(_named(document, name)), as_json=as_json)
            operation = _submit(client, document, name)
    except TutelageError as error:
        if output is not None:
            _write(output, refusal(error))
        raise
    with session() as client:
        raise typer.Exit(afterwards(client, operation, follow=follow, output=output, as_json=as_json))


def refusal(error: TutelageError) -> dict[str, Any]:
    """Return the result document of a spec that was never accepted."""
    return _failure(error.code, error.message, error.hint)


def result_document(operation: Operation) -> dict[str, Any]:
    """Return the result document of an ended operation: its own, of a success or a failure, else one from its error."""
    if operation.result is not None:
        return dict(operation.result)
    if operation.error is None:
        return _failure(str(operation.state), f"the operation is {operation.state} and left no result", "")
    return _failure(operation.error.code, operation.error.message, operation.error.hint)


def _failure(code: str, message: str, hint: str) -> dict[str, Any]:
    return {
        "success": False,
        "error": {"code": code, "message": message, "hint": hint},
        "suggestions": [hint] if hint else [],
        "partial": {},
        "unrecognized": [],
    }


def _named(document: dict[str, Any], name: str | None) -> dict[str, Any]:
    return {**document, "name": name} if name and "service" in document else document


def _submit(client: Client, document: dict[str, Any], name: str | None) -> Operation:
    """Submit; a bare job document has no place for a name, so it is given afterwards."""
    from tutelage.core.wire import OperationPatch

    operation = client.submit(_named(document, name))
    if name and "service" not in document:
        operation = client.update(operation.id, OperationPatch(name=name))
    return operation


def afterwards(client: Client, operation: Operation, *, follow: bool, output: Path | None, as_json: bool) -> int:
    """Watch, wait or return at once, as asked, and return the exit code."""
    from tutelage.interfaces.cli.session import print_json
    from tutelage.interfaces.cli.watch import exit_code, follow_live, wait_quietly

    if not follow and output is None:
        print_json(operation) if as_json else _show_started(client, operation)
        return 0
    if follow and not as_json:
        _show_started(client, operation, brief=True)
        ended = follow_live(client, operation.id)
    else:
        ended = wait_quietly(client, operation.id)
    if output is not None:
        _write(output, result_document(ended))
    if as_json:
        print_json(ended)
    elif output is not None:
        _show_written(ended, output)
    return exit_code(ended)


def _write(path: Path, document: dict[str, Any]) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        part.replace(path)
    except OSError as error:
        raise TutelageError(f"cannot write {path}: {error.strerror}", hint="name another file with --output") from error


def _show_started(client: Client, operation: Operation, *, brief: bool = False) -> None:
    from tutelage.interfaces.cli.terminal import say
    from tutelage.interfaces.cli.words import short

    say(f"Started {operation.id}" + (f" ({operation.name})" if operation.name else ""))
    say(f"Home    {client.health().home}")
    if not brief:
        key = short(operation.id)
        say("", f"  tutelage follow {key}", f"  tutelage show {key} --why", f'  tutelage stop {key} --reason "..."')


def _show_written(operation: Operation, output: Path) -> None:
    from tutelage.client.problems import error_from
    from tutelage.core.wire import Problem
    from tutelage.interfaces.cli.gates import say_unmet
    from tutelage.interfaces.cli.show import tracked
    from tutelage.interfaces.cli.terminal import say

    what = "the failure" if operation.error else "the result"
    say(f"Wrote {what} to {output}")
    if line := tracked(operation):
        say(f"Tracking: {line}")
    say_unmet(operation)
    if operation.error:
        raise error_from(
            Problem(
                type="about:blank",
                title="The run failed",
                status=TrainingError.status,
                detail=f"{operation.id} failed: {operation.error.message}",
                code=operation.error.code,
                hint=operation.error.hint,
            )
        )


def _show_dry_run(answer: DryRun, *, as_json: bool) -> None:
    from tutelage.interfaces.cli.session import print_json
    from tutelage.interfaces.cli.terminal import say

    if as_json:
        return print_json(answer)
    say(f"The spec is valid. It would start an operation of {answer.service!r} with:")
    say(json.dumps(answer.config, indent=2, ensure_ascii=False))
    for warning in answer.warnings:
        say(f"Warning: {warning}")
    return None
