"""The example of the how-to runs as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.training.conftest import ROOT
from tests.training.runs import curve

PAGE = ROOT / "docs" / "how-to" / "use-the-training-layer.md"


def example() -> str:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]


@pytest.mark.slow  # imports torch twice in processes of their own
def test_the_example_trains_and_goes_on_where_it_was(tmp_path: Path) -> None:
    for max_steps in (300, 400):
        code = example().replace("max_steps=300", f"max_steps={max_steps}")
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"max_steps at step {max_steps}, val_loss 0.")
    assert list(curve(tmp_path / "majority", "train_loss")) == list(range(1, 401))
    assert min(curve(tmp_path / "majority", "val_loss").values()) < 0.3
