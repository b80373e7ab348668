"""Files that were sent to a home, named by the SHA-256 of their content."""

from __future__ import annotations

import re

from pydantic import Field

from tutelage.core.wire import Wire

SHA256 = re.compile(r"[0-9a-f]{64}\Z")
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,119}\Z")
"""What an input may be called; its ending says how it is read."""


class Input(Wire):
    """A file that a spec may name by `path`."""

    sha256: str = Field(description="SHA-256 of the content, 64 hexadecimal digits")
    name: str = Field(description="the file's name; its ending says how it is read")
    bytes: int = Field(ge=0, description="size of the content")
    path: str = Field(description="where it lies on the server: what a spec there names")
