"""Services' own commands: `tutelage SERVICE NAME`, made from their argument models, run in a short-lived worker."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from tutelage.core.service import Service, ServiceCommand

SILENT = subprocess.DEVNULL
HELP = {"help_option_names": ["-h", "--help"]}


class WithOwnCommands(TyperGroup):
    """A group that looks for an unknown command among the services; until then none of them is imported."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command of the group, or a service's own commands as a group of theirs."""
        found = super().get_command(ctx, cmd_name)
        return found if found is not None else _group(cmd_name)


def _group(name: str) -> Any:
    from tutelage.services.registry import Registry
    from tutelage.settings import load_settings

    registry = Registry(load_settings().services)
    if name not in registry.names() or not (service := registry.get(name)).commands:
        return None
    app = typer.Typer(
        name=service.name,
        cls=_commands_of(service),
        help=service.about,
        no_args_is_help=True,
        add_completion=False,
        context_settings=HELP,
    )
    app.callback()(lambda: None)
    return typer.main.get_command(app)


def _commands_of(service: Service) -> type[TyperGroup]:
    """Return a group that makes a command when it is asked for: the arguments of another may import a library."""

    class Commands(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return list(service.commands)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            found = service.commands.get(cmd_name)
            return None if found is None else _command(service.name, cmd_name, found)

    return Commands


def _command(service: str, name: str, command: ServiceCommand) -> Any:
    app = typer.Typer(add_completion=False, context_settings=HELP)
    app.command(name, help=command.about, context_settings=HELP)(_function(service, name, command))
    return typer.main.get_command(app)


def _function(service: str, name: str, command: ServiceCommand) -> Callable[..., None]:
    """Return a function with a parameter for each field of the command's arguments."""
    from tutelage.core.service import load

    def run(**given: Any) -> None:
        as_json = given.pop("as_json")
        _show(ask(service, name, {key: value for key, value in given.items() if value is not None}), as_json=as_json)

    model = load(command.arguments)
    parameters = [_parameter(key, field) for key, field in model.model_fields.items()]
    about = "Print the answer as JSON."
    parameters.append(_keyword("as_json", Annotated[bool, typer.Option("--json", help=about)], default=False))
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    about = field.description or ""
    if field.is_required():
        argument = typer.Argument(metavar=name.upper(), help=about)
        return _keyword(name, Annotated[field.annotation, argument], default=inspect.Parameter.empty)
    flag = f"--{name.replace('_', '-')}"
    option = typer.Option(f"{flag}/--no-{flag[2:]}" if field.annotation is bool else flag, help=about)
    return _keyword(name, Annotated[field.annotation, option], default=field.get_default(call_default_factory=True))


def _keyword(name: str, annotation: Any, *, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def ask(service: str, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run a service's command in a worker, here and now, and return its document. Raises what the worker reports."""
    from tutelage.client.problems import error_from
    from tutelage.core.errors import TutelageError
    from tutelage.core.wire import Problem
    from tutelage.settings import load_settings

    call = [sys.executable, "-m", "tutelage.worker", "--home", str(load_settings().home), "--command", service, name]
    done = subprocess.run(call, input=json.dumps(arguments), stdout=subprocess.PIPE, stderr=SILENT, text=True)
    lines = done.stdout.splitlines()
    if not lines:
        raise TutelageError(f"`{service} {name}` ended without an answer (exit status {done.returncode})")
    answer: dict[str, Any] = json.loads(lines[-1])
    if "error" not in answer:
        return answer
    error = answer["error"]
    raise error_from(
        Problem(
            type=f"urn:tutelage:error:{error['code']}",
            title=error["code"],
            status=error.get("status", 422),
            detail=error["message"],
            code=error["code"],
            hint=error["hint"],
            errors=[],
        )
    )


def _show(answer: dict[str, Any], *, as_json: bool) -> None:
    """Print an answer: as JSON without what only terminals need, or its `text`; leave with its exit code."""
    from tutelage.interfaces.cli.session import print_json

    text, exit_code = answer.pop("text", None), answer.pop("exit_code", 0)
    if as_json or text is None:
        print_json(answer)
    else:
        print("\n".join(text))
    if exit_code:
        raise typer.Exit(exit_code)
