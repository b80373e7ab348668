from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tabular_support import kill_leftovers, make_table


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "home"
    monkeypatch.setenv("TUTELAGE_HOME", str(path))
    yield path
    kill_leftovers()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    named = os.environ.get("TUTELAGE_TEST_DATA")
    if not named:
        pytest.skip("TUTELAGE_TEST_DATA does not name the folder of real data")
    return Path(named)


@pytest.fixture
def small_csv(tmp_path: Path) -> Path:
    path = tmp_path / "small.csv"
    make_table().to_csv(path, index=False)
    return path
