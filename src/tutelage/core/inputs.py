"""Files that were sent to a home, named by the SHA-256 of their content."""

from __future__ import annotations

import re

from pydantic import Field

from tutelage.core.wire import Wire

SHA256 = re.compile(r"[0-9a-f]{64}\Z")
MAX_NAME = 120
NAME = re.compile(rf"[A-Za-z0-9][\w.-]{{0,{MAX_NAME - 1}}}\Z", re.ASCII)
"""What an input may be called; its ending says how it is read."""


def input_name(name: str) -> str:
    """Return a file's name as an input may be called; its ending is kept, which says how it is read."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[-MAX_NAME + 5 :]
    return plain if NAME.match(plain) else f"input{plain}"


class Input(Wire):
    """A file that a spec may name by `path`."""

    sha256: str = Field(description="SHA-256 of the content, 64 hexadecimal digits")
    name: str = Field(description="the file's name; its ending says how it is read")
    bytes: int = Field(ge=0, description="size of the content")
    path: str = Field(description="where it lies on the server: what a spec there names")
