"""Tests for the `script` service: what a user's script reports, hears and leaves, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tutelage.core.commands import Verb
from tutelage.core.events import EventKind
from tutelage.services.script.config import ScriptConfig
from tutelage.testing.workbench import Workbench

HERE = Path(__file__).parent
DESCENT = [sys.executable, str(HERE / "descent.py")]
SERVICE = "tutelage.services.script:SERVICE"
LONG = {"steps": 100_000, "step_s": 0.005}
Make = Callable[..., Workbench]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Workbench] = []

    def bench(command: list[str] = DESCENT, **config: Any) -> Workbench:
        spec = {"service": "script", "config": {"command": command, "working_dir": str(tmp_path), **config}}
        made.append(Workbench(tmp_path / f"home{len(made)}", spec, services={"script": SERVICE}))
        return made[-1]

    yield bench
    for one in made:
        one.kill()


def in_python(code: str) -> list[str]:
    return [sys.executable, "-c", f"import tutelage\nrun = tutelage.current_run()\n{code}"]


def error_of(bench: Workbench) -> dict[str, Any]:
    return dict(bench.events(EventKind.ERROR)[-1].data)


def test_reports_output_artifacts_and_result_become_the_operations(make: Make) -> None:
    bench = make(settings={"steps": 60})
    bench.start()
    assert bench.ended() == 0, bench.log_tail()
    assert len([key for key in bench.points() if key[:2] == ("", "val_loss")]) == 60
    assert [event.step for event in bench.events(EventKind.CHECKPOINT)] == [20, 40, 60]
    result = bench.result()
    assert result["lastStep"] == 60
    assert result["x"] == json.loads((bench.files.artifacts / "x.json").read_text())
    assert f"the last x is {result['x']}" in bench.log_tail()
    assert not (bench.files.root / "spool").exists()


def test_a_stop_lets_the_script_end_by_itself_and_completes(make: Make) -> None:
    bench = make(settings=LONG)
    bench.start()
    bench.until(lambda: bench.events(EventKind.METRIC))
    bench.ask(Verb.STOP)
    assert bench.ended() == 0, bench.log_tail()
    applied = bench.events(EventKind.APPLIED)[-1]
    assert applied.data["status"] == "applied"
    assert bench.result()["lastStep"] == applied.step


def test_a_checkpoint_that_was_asked_for_is_confirmed_at_its_step(make: Make) -> None:
    bench = make(settings=LONG)
    bench.start()
    bench.until(lambda: bench.events(EventKind.METRIC))
    command = bench.ask(Verb.CHECKPOINT)
    bench.until(lambda: bench.events(EventKind.APPLIED))
    applied = bench.events(EventKind.APPLIED)[-1]
    assert applied.data["id"] == command.id
    assert applied.step in [event.step for event in bench.events(EventKind.CHECKPOINT)]


def test_a_script_that_reports_nothing_is_terminated_on_a_stop_and_still_completes(
    make: Make,
) -> None:
    bench = make(["sleep", "600"])
    bench.start()
    bench.until(lambda: bench.events(EventKind.PHASE))
    bench.ask(Verb.STOP)
    assert bench.ended() == 0, bench.log_tail()
    assert bench.result()["exitCode"] == -15


def test_a_deaf_script_is_ended_after_its_time(make: Make) -> None:
    bench = make(in_python("run.metric(1, val_loss=1.0)\nimport time\nwhile True: time.sleep(60)"), end_timeout=0.2)
    bench.start()
    bench.until(lambda: bench.points())
    bench.ask(Verb.CANCEL)
    assert bench.ended() == 0, bench.log_tail()
    assert not bench.files.result.exists()


def test_a_pause_without_a_checkpoint_says_that_it_starts_anew(make: Make) -> None:
    code = "import time\nwhile not run.should_stop():\n    run.metric(1, val_loss=1.0); time.sleep(0.01)"
    bench = make(in_python(code))
    bench.start()
    bench.until(lambda: bench.points())
    bench.ask(Verb.PAUSE)
    assert bench.ended() == 0, bench.log_tail()
    assert "starts anew" in bench.events(EventKind.APPLIED)[-1].data["detail"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ([*DESCENT[:1], "-c", "raise SystemExit(3)"], "exit code 3"),
        ([*DESCENT[:1], "-c", "import os; os.kill(os.getpid(), 11)"], "SIGSEGV"),
        (["no-such-program-here"], "was not found"),
    ],
)
def test_a_script_that_fails_fails_its_operation(make: Make, command: list[str], said: str) -> None:
    bench = make(command)
    bench.start()
    assert bench.ended() == 1
    assert error_of(bench)["code"] == "script_failed"
    assert said in error_of(bench)["message"]


def test_numbers_that_are_none_travel(make: Make) -> None:
    bench = make(in_python("run.metric(1, val_loss=float('nan'), train_loss=float('inf'))"))
    bench.start()
    assert bench.ended() == 0, bench.log_tail()
    assert {str(value) for key, value in bench.points().items() if key[0] == ""} == {"nan", "inf"}


def test_a_report_that_cannot_be_taken_is_named_and_does_no_harm(make: Make) -> None:
    bench = make(in_python("run.define('accuracy', direction='up', objective=True)\nrun.metric(1, val_loss=1.0)"))
    bench.start()
    assert bench.ended() == 0, bench.log_tail()
    assert bench.points()["", "val_loss", 1] == 1.0


def test_a_killed_worker_takes_its_script_with_it(make: Make) -> None:
    bench = make(settings=LONG)
    bench.start()
    bench.until(lambda: bench.events(EventKind.METRIC))
    worker = psutil.Process(bench.worker_pid)
    (script,) = [child for child in worker.children() if "descent.py" in " ".join(child.cmdline())]
    worker.kill()
    script.wait(10)
    assert not script.is_running()


def test_outside_an_operation_the_same_script_runs_and_reports_to_nobody(tmp_path: Path) -> None:
    done = subprocess.run(DESCENT, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("the last x is")
    assert list(tmp_path.iterdir()) == []


def test_attaching_imports_the_standard_library_alone() -> None:
    heavy = ("pydantic", "numpy", "httpx")
    code = f"import sys, tutelage; tutelage.current_run(); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"command": []}, "at least 1 item"),
        ({"command": [" "]}, "must begin with a program"),
        ({"working_dir": "here"}, "must be absolute"),
    ],
)
def test_a_config_that_cannot_run_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(Exception, match=said):
        ScriptConfig.model_validate({"command": ["true"], "working_dir": "/", **change})
