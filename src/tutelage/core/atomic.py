"""Files that exist whole or not at all: written beside, then renamed into place."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_bytes(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file by rename; with `durable` it is on the disk before it gets its name. Raises OSError."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    os.replace(temporary, path)


def write_json(path: Path, document: Any, *, durable: bool = False) -> None:
    """Write a JSON file by rename; NaN and infinities are refused, as JSON has none. Raises OSError, ValueError."""
    write_bytes(path, json.dumps(document, indent=1, allow_nan=False).encode(), durable=durable)
