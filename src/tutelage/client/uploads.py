"""Files that a document names here, sent to a server elsewhere and named there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.client.client import Client
from tutelage.core.paths import map_paths


def with_uploads(client: Client, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document as the server can read it: files of this machine are sent, their paths replaced.

    A server of this home reads them where they lie. A path that is no file here is taken as one of the server's.
    """
    if client.files is not None:
        return dict(document)

    def sent(text: str) -> str:
        path = Path(text)
        return client.upload(path).path if path.is_absolute() and path.is_file() else text

    found: dict[str, Any] = map_paths(dict(document), sent)
    return found
