"""In CI a skip is a failure, unless its marker names something that may be absent on a machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITTEN = """
import pytest

@pytest.mark.needs_shared_data
def test_table():
    pass

def test_part():
    pytest.importorskip("surely_not_installed")
"""


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [
        pytest.param("true", "1 failed, 1 skipped", id="in-ci-a-missing-part-fails"),
        pytest.param("", "2 skipped", id="elsewhere-it-is-skipped"),
    ],
)
def test_a_skip_for_a_missing_part_fails_only_in_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    (tmp_path / "test_written.py").write_text(WRITTEN)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  needs_shared_data: tables\n  needs_gpu: gpu\n")
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("TUTELAGE_TEST_DATA", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert outcome in done.stdout
