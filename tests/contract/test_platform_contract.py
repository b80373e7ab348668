"""The control plane and the client over HTTP are the same platform."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import plane_at, supervisor_at

from tutelage.core.ports import Platform
from tutelage.testing.contracts import PlatformContract


class TestControlPlane(PlatformContract):
    @pytest.fixture(scope="class")
    @classmethod
    def platform(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
        with plane_at(tmp_path_factory.mktemp("plane") / "home") as plane:
            rounds = threading.Thread(target=plane.parts.supervision.run)
            rounds.start()
            yield plane.platform
            plane.parts.supervision.end()
            rounds.join()


class TestClient(PlatformContract):
    @pytest.fixture(scope="class")
    @classmethod
    def platform(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
        home: Path = tmp_path_factory.mktemp("client") / "home"
        with supervisor_at(home) as (_, client):
            yield client
