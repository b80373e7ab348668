"""A training whose environment fails says which and where, and goes on from its checkpoint as if nothing had been."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from agents_misbehaving import Fragile

from tutelage.core.events import EventKind
from tutelage.testing.workbench import Workbench

SMALL = {
    "preset": "nano",
    "num_copies": 8,
    "max_steps": 4096,
    "num_evaluations": 2,
    "environment_types": ["interactive"],
}


def bench_of(folder: Path, flag: Path) -> Workbench:
    own = {"source_dir": str(Path(__file__).parent), "flag": str(flag), "step_timeout_s": 8}
    environment = {"id": f"python:{Fragile.__module__}:{Fragile.__name__}", "kwargs": own}
    spec = {"service": "agents", "config": {**SMALL, "environment": environment}, "seed": 7}
    return Workbench(folder, spec, services={})


def trained(bench: Workbench) -> dict[Any, float]:
    bench.start()
    assert bench.ended() == 0, bench.log_tail()
    return {key: value for key, value in bench.points().items() if key[1] != "steps_per_s"}


@pytest.mark.slow  # three trainings in processes of their own, one of which waits for a hang
def test_a_hang_is_named_and_a_resumed_training_equals_one_that_never_failed(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    whole = trained(bench_of(tmp_path / "whole", flag))
    bench = bench_of(tmp_path / "hang", flag)
    flag.touch()
    bench.start()
    assert bench.ended() != 0
    error = bench.events(EventKind.ERROR)[-1].data
    assert error["code"] == "environment_failed"
    assert "'python:agents_misbehaving:Fragile' failed in copy 0 at step" in error["message"]
    assert "got no answer to 'step' within 8 s" in error["message"]
    assert bench.events(EventKind.CHECKPOINT)
    flag.unlink()
    assert trained(bench) == whole
