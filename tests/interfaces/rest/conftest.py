from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.serving import Served, served_at


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server a module."""
    with served_at(tmp_path_factory.mktemp("served") / "home") as server:
        yield server
