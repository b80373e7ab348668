"""Tests for the callbacks of libraries that are installed: reported, stopped, resumed; silent outside an operation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.callbacks.callback_scripts import HEAD, SCRIPTS

from tutelage.core.commands import Verb
from tutelage.core.events import EventKind
from tutelage.testing.workbench import Workbench

FOREVER, FEW = 1_000_000, 30


def bench_of(folder: Path, library: str, rounds: int) -> Workbench:
    code = HEAD % rounds + SCRIPTS[library][0]
    config = {"command": [sys.executable, "-c", code], "working_dir": str(folder)}
    return Workbench(
        folder / "home",
        {"service": "script", "config": config},
        services={"script": "tutelage.services.script:SERVICE"},
    )


@pytest.mark.slow  # each imports its library in a process of its own
@pytest.mark.parametrize("library", SCRIPTS)
def test_a_callback_reports_each_round_and_ends_the_training_on_a_stop(library: str, tmp_path: Path) -> None:
    bench, metric = bench_of(tmp_path, library, FOREVER), SCRIPTS[library][1]
    try:
        bench.start()
        bench.until(lambda: ("", metric, 20) in bench.points())
        bench.ask(Verb.STOP)
        assert bench.ended() == 0, bench.log_tail()
    finally:
        bench.kill()
    steps = sorted(step for scope, name, step in bench.points() if name == metric and not scope)
    assert steps == list(range(steps[0], steps[-1] + 1))
    assert bench.result()["exitCode"] == 0
    assert bench.result()["lastStep"] == steps[-1]


@pytest.mark.slow  # imports scikit-learn three times in processes of their own
def test_an_estimator_fitted_in_rounds_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    calm, killed = bench_of(tmp_path / "calm", "sklearn", 400), bench_of(tmp_path / "killed", "sklearn", 400)
    try:
        for folder in ("calm", "killed"):
            (tmp_path / folder).mkdir(exist_ok=True)
        calm.start()
        assert calm.ended() == 0, calm.log_tail()
        killed.start()
        killed.until(lambda: killed.events(EventKind.CHECKPOINT))
        killed.kill()
        killed.start()
        assert killed.ended() == 0, killed.log_tail()
    finally:
        calm.kill()
        killed.kill()
    assert killed.points() == calm.points()


@pytest.mark.slow  # imports its library in a process of its own
@pytest.mark.parametrize("library", SCRIPTS)
def test_a_callback_is_silent_outside_an_operation(library: str, tmp_path: Path) -> None:
    code = HEAD % FEW + SCRIPTS[library][0]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, check=True, capture_output=True)
    assert list(tmp_path.iterdir()) == []
