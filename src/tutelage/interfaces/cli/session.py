"""What every command does: open the client as the local user, find the operation meant, print JSON."""

from __future__ import annotations

import json
import os
import pwd
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tutelage.client import Client


@contextmanager
def session(*, new_home: bool = False) -> Iterator[Client]:
    """Open the client of the home, starting its supervisor; only `new_home` may make the home itself."""
    from tutelage.client import connect
    from tutelage.core.errors import NotFound
    from tutelage.core.wire import Principal
    from tutelage.settings import load_settings

    settings = load_settings()
    if settings.url is None and not settings.home.is_dir():
        if not new_home:
            raise NotFound(
                f"nothing has been trained here: there is no home {settings.home}",
                hint="go to the folder where you trained, or set TUTELAGE_HOME; `tutelage demo` trains something",
            )
        note(f"New home: {settings.home}")
    with connect(settings, principal=Principal(name=user_name(), kind="person")) as client:
        yield client


def user_name() -> str:
    """Return the name of the operating system's user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "local"


def find(client: Client, text: str) -> str:
    """Return the id of the operation that `text` means."""
    from tutelage.client import find_operation

    return find_operation(client, text)


def print_json(value: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> None:
    """Print an answer in the REST API's shape; a list as its `items`."""
    print(as_json(value))


def as_json(value: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> str:
    """Return an answer in the REST API's shape."""
    if isinstance(value, dict):
        plain: Any = value
    elif isinstance(value, Sequence):
        plain = {"items": [item.model_dump(mode="json", by_alias=True) for item in value]}
    else:
        plain = value.model_dump(mode="json", by_alias=True)
    return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)


def print_line(value: BaseModel) -> None:
    """Print an answer as one line of JSON, for streams."""
    print(value.model_dump_json(by_alias=True), flush=True)


def note(text: str) -> None:
    """Say something beside the answer: on the error stream, so that the answer can be piped."""
    print(text, file=sys.stderr)
