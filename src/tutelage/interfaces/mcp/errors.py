"""Errors as texts that an agent can act on: what, what to do, the stable code."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import ValidationError

from tutelage.core.errors import TutelageError
from tutelage.interfaces.mcp.bounds import clean_text

P = ParamSpec("P")
R = TypeVar("R")
MAX_PLACES = 8


def told(tool: Callable[P, R]) -> Callable[P, R]:
    """Wrap a tool so that the project's errors reach the agent as they are."""

    @functools.wraps(tool)
    def telling(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return tool(*args, **kwargs)
        except TutelageError as error:
            raise ToolError(text_of(error)) from error

    return telling


def text_of(error: TutelageError) -> str:
    """Return an error's message, places, hint and code, cleaned and capped."""
    places = [f"{place.get('path', '')}: {place.get('message', '')}" for place in error.errors[:MAX_PLACES]]
    parts = [str(error), *places, f"What to do: {error.hint}" if error.hint else "", f"(code {error.code})"]
    return "\n".join(clean_text(part) for part in parts if part)


def text_of_arguments(tool: str, error: ValidationError) -> str:
    """Return what is wrong with a call's arguments, place by place, without the library's own words."""
    places = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:MAX_PLACES]]
    head = f"{tool} was called with arguments that do not fit: "
    return clean_text(head + "; ".join(places) + f". What to do: see the input schema of {tool}.", limit=1500)
