"""The scripts that agents run do what their first lines say, on real trainings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AGENTS = ROOT / "examples" / "agents"
SCRIPT = ROOT / "examples" / "script" / "gradient_descent.py"
TUTELAGE = [sys.executable, "-m", "tutelage"]

pytestmark = pytest.mark.slow  # each trains for real, in processes of its own


def run(folder: Path, *command: str, expected: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


def test_the_monitor_waits_for_metrics_and_prints_them_as_they_come(home: Path, tmp_path: Path) -> None:
    config = {
        "command": ["bash", "-c", f"sleep 2 && exec {sys.executable} {SCRIPT}"],
        "working_dir": str(tmp_path),
        "settings": {"steps": 30},
    }
    started = run(tmp_path, *TUTELAGE, "train", json.dumps({"service": "script", "config": config}), "--json")
    lines = run(tmp_path, sys.executable, str(AGENTS / "training_monitor.py"), json.loads(started)["id"]).splitlines()
    assert lines[0] == "\N{HOURGLASS WITH FLOWING SAND} No metrics yet"
    shape = re.compile(r"\N{HEAVY CHECK MARK} Step (\d+): train_loss=\d+\.\d{4}, val_loss=\d+\.\d{4}")
    assert [int(shape.fullmatch(line)[1]) for line in lines[1:-1]] == list(range(1, 31))
    assert lines[-1].startswith("completed: ")
    advice = run(tmp_path, sys.executable, str(AGENTS / "loss_analyzer.py"), "last")
    assert "Best step: 30 with val_loss=" in advice


def test_the_steward_stops_the_worse_run_and_branches_the_better(home: Path, tmp_path: Path) -> None:
    report = run(tmp_path, sys.executable, str(AGENTS / "steward.py"))
    assert re.search(r"descent at 0\.001 from \d+: val_loss 1\.\d+ at \d+", report)
    assert "  stop: its val_loss at the same step is behind that of op_" in report
    assert "  branch: still improving: try learning rate 0.003" in report
    assert int(re.search(r"(\d+) calls", report)[1]) <= 14
