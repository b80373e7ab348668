"""What the tools act through: the platform's actions, who asks, and where relative paths count from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.client import find_operation
from tutelage.core import wire
from tutelage.core.paths import absolute_paths
from tutelage.core.ports import Platform


@dataclass(frozen=True, kw_only=True)
class Access:
    """One agent's way to the platform.

    `folder` resolves relative paths of specs (the agent's working directory on stdio); None leaves them as they are,
    and the platform refuses them.
    """

    platform: Platform
    principal: Callable[[], wire.Principal]
    folder: Path | None = None

    def find(self, text: str) -> str:
        """Return the id that `text` means: an id, a unique part of it, or `last`."""
        return find_operation(self.platform, text)

    def absolute(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a document whose relative paths count from the folder."""
        return dict(document) if self.folder is None else dict(absolute_paths(dict(document), self.folder))
