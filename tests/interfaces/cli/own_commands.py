"""A service with a command of its own, for the tests of the command line."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tutelage.core.errors import NotFound
from tutelage.core.service import Service, ServiceCommand
from tutelage.core.spec import Document


class EchoArguments(Document):
    """What is said."""

    word: str = Field(description="what is said")
    times: int = Field(1, ge=0, le=5, description="how often")
    loud: bool = Field(True, description="in capitals")


def echo(arguments: EchoArguments) -> dict[str, Any]:
    """Say a word; never is an error."""
    if not arguments.times:
        raise NotFound("nothing is said", hint="say it at least once")
    word = arguments.word.upper() if arguments.loud else arguments.word
    return {"words": [word] * arguments.times, "text": [word] * arguments.times, "exit_code": arguments.times - 1}


SERVICE = Service(
    name="echoes",
    about="Says things.",
    unit="step",
    config="own_commands:EchoArguments",
    train="own_commands:echo",
    commands={"echo": ServiceCommand(arguments="own_commands:EchoArguments", run="own_commands:echo", about="Say it.")},
)
