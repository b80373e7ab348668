"""The result document on failure: the error, the next step, and what the search had reached. Imports no library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.core.layout import OperationFiles
from tutelage.core.tracking import experiment_of

PARTIAL = "partial.json"
"""Written after each trial: the best parameters so far and the number of trials."""

HANDOFFS = "handoffs.json"
"""What hand-offs had changed, written by the first attempt; the others go by it."""


def failure_document(error: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the result on failure from an error ({code, message, hint}) and the operation's folder."""
    partial = _read_json(folder / PARTIAL) or {"bestParams": None, "nTrials": 0}
    config = _read_json(folder / "spec.json").get("config", {})
    root = folder / "artifacts"
    files = sorted(path.relative_to(folder).as_posix() for path in root.rglob("*") if path.is_file())
    return {
        "success": False,
        "error": {name: str(error.get(name) or "") for name in ("code", "message", "hint")},
        "suggestions": [str(error["hint"])] if error.get("hint") else [],
        "partial": {**partial, "artifacts": [name for name in files if not name.endswith((".tmp", ".sig"))]},
        "experiment": experiment_of(OperationFiles(folder)),
        "unrecognized": _read_json(folder / HANDOFFS).get("unrecognized", config.get("unrecognized", [])),
    }


def _read_json(path: Path) -> dict[str, Any]:
    """Return a file's object, or an empty one where there is none to read."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content
