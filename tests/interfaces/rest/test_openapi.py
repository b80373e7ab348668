"""The OpenAPI document is a contract: a change to it is a change to the committed snapshot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from tutelage.control import ControlPlatform
from tutelage.control.hub import Hub
from tutelage.interfaces.rest.app import create_app

SNAPSHOT = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"


def test_the_snapshot_is_the_api() -> None:
    """Regenerate it with `make openapi` after a deliberate change."""
    document: dict[str, Any] = create_app(cast(ControlPlatform, None), Hub()).openapi()
    assert document["openapi"].startswith("3.1")
    assert json.loads(SNAPSHOT.read_text()) == document
