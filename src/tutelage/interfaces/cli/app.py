"""The `tutelage` command: every command by name, and the one place where errors become exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from tutelage import __version__
from tutelage.core.errors import EXIT_FAILED, TutelageError
from tutelage.interfaces.cli import (
    act,
    agents,
    assess,
    behave,
    demo,
    doctor,
    generate,
    holdings,
    keep,
    learn,
    ops,
    read,
    script,
    serve,
    token,
    train,
    use,
    watch,
)
from tutelage.interfaces.cli.errors import show_error

PANELS: dict[str, dict[str, Callable[..., Any]]] = {
    "Start": {
        "demo": demo.demo,
        "train": train.train,
        "run": script.run,
        "init": learn.init,
        "inspect": learn.inspect,
        "services": learn.services,
    },
    "Watch": {
        "ops": ops.ops,
        "show": read.show,
        "follow": watch.follow,
        "wait": watch.wait,
        "logs": watch.logs,
        "metrics": read.metrics,
        "compare": read.compare,
        "assess": assess.assess,
        "decisions": read.decisions,
        "lineage": read.lineage,
        "checkpoints": holdings.checkpoints,
        "spec": read.spec,
        "env": read.env,
    },
    "Act": {
        "stop": act.stop,
        "pause": act.pause,
        "resume": act.resume,
        "cancel": act.cancel,
        "checkpoint": act.checkpoint,
        "tune": act.tune,
        "branch": act.branch,
        "approve": act.approve,
        "reject": act.reject,
        "edit": holdings.edit,
    },
    "Use": {
        "artifacts": use.artifacts,
        "models": holdings.models,
        "predict": use.predict,
        "generate": generate.generate,
        "act": behave.act,
        "upload": holdings.upload,
    },
    "Serve": {"serve": serve.serve, "mcp": agents.mcp},
    "Keep": {"hosts": keep.hosts, "rm": keep.rm, "gc": keep.gc, "doctor": doctor.doctor},
}


def build() -> typer.Typer:
    """Return the application."""
    app = typer.Typer(
        name="tutelage",
        help="Train models, watch their health, and act on it - together with agents.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_about)
    for panel, commands in PANELS.items():
        for name, function in commands.items():
            app.command(name, rich_help_panel=panel)(function)
    app.add_typer(token.build(), name="token", rich_help_panel="Serve")
    return app


def main(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    _tolerant_output()
    try:
        return _exit_code(build()(args=given, prog_name="tutelage"))
    except TutelageError as error:
        return show_error(error, as_json="--json" in given)
    except SystemExit as ended:
        return _exit_code(ended.code)


def _exit_code(code: object) -> int:
    return code if isinstance(code, int) else EXIT_FAILED if code else 0


def _tolerant_output() -> None:
    """Show signs that a terminal cannot encode as question marks instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"tutelage {__version__}")
        raise typer.Exit


def _about(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass
