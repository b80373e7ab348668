"""The export at a run's end: bounded, retried, shown; and whatever it does, the run ends as it would without."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import Plane, plane_at
from tests.tracking.servers import black_hole, free_port

from tutelage.core import wire
from tutelage.core.atomic import write_json
from tutelage.core.operation import State
from tutelage.core.tracking import TrackingRequest, ask


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    with plane_at(tmp_path / "home") as made:
        yield made


def submit(plane: Plane, uri: str, config: dict[str, Any] | None = None, **spec: Any) -> str:
    """Submit a short run that asks for an export, as a service would at its beginning."""
    begun = plane.submit({"steps": 5, **(config or {})}, **spec)
    ask(plane.parts.base.files.operation(begun.id), TrackingRequest(attempt=1, uri=uri))
    return begun.id


def dead() -> str:
    return f"http://127.0.0.1:{free_port()}"


def experiment(operation: wire.Operation) -> Any:
    assert operation.result is not None
    return operation.result["experiment"]


def test_a_run_ends_well_without_its_tracker_and_says_so(plane: Plane) -> None:
    uri = dead()
    done = plane.finish(submit(plane, uri))
    assert done.state is State.COMPLETED
    assert done.phase == "log"
    told = experiment(done)
    assert (told["status"], told["trackingUri"], told["runId"]) == ("unreachable", uri, None)
    lines = [item.data["text"] for item in plane.platform.events(done.id).items if item.kind == "log"]
    assert [line for line in lines if "not logged" in line and "refused" in line] != []


def test_the_result_file_stays_as_the_worker_wrote_it(plane: Plane) -> None:
    done = plane.finish(submit(plane, dead()))
    assert "experiment" not in json.loads(plane.parts.base.files.operation(done.id).result.read_text())


def test_a_failed_run_is_exported_too(plane: Plane) -> None:
    failed = plane.finish(submit(plane, dead(), {"crash_at": 3}))
    assert failed.state is State.FAILED
    feed = json.loads(plane.parts.base.files.operation(failed.id).tracking_feed.read_text())
    assert feed["state"] == "failed"
    assert feed["error"]["code"] == "training_failed"


def test_a_cancelled_run_is_not(plane: Plane) -> None:
    begun = submit(plane, dead(), {"steps": 100_000, "step_s": 0.005})
    plane.reach(begun, 3)
    plane.command(begun, "cancel")
    assert plane.finish(begun).state is State.CANCELLED
    assert not plane.parts.base.files.operation(begun).tracking_feed.exists()


def test_the_feed_holds_each_curve_with_steps_and_times(plane: Plane) -> None:
    done = plane.finish(submit(plane, dead()))
    feed = json.loads(plane.parts.base.files.operation(done.id).tracking_feed.read_text())
    rows = feed["curves"]["val_loss"]
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5]
    assert all(feed["started_ms"] - 5000 < row[2] <= feed["ended_ms"] + 1000 for row in rows)
    shown = plane.platform.metrics(done.id, keys=("val_loss",))
    assert [row[1] for row in rows] == shown.values["val_loss"]


def test_an_outstanding_export_keeps_the_supervisor_until_it_gives_up(tmp_path: Path) -> None:
    with plane_at(tmp_path / "home", tracker_retry_s=(0.05, 0.05)) as plane:
        plane.finish(submit(plane, dead()))
        assert not plane.platform.is_idle()
        plane.until(plane.platform.is_idle)


def test_a_command_ends_the_wait_and_the_news_comes_later(plane: Plane) -> None:
    with black_hole() as uri:
        begun = submit(plane, uri)
        plane.until(lambda: plane.platform.operation(begun).phase == "log")
        plane.command(begun, "cancel")
        done = plane.finish(begun)
        assert done.state is State.COMPLETED
        assert experiment(done)["status"] == "pending"
        plane.until(lambda: experiment(plane.platform.operation(begun))["status"] == "unreachable")


def test_a_damaged_request_costs_nothing(plane: Plane) -> None:
    begun = plane.submit({"steps": 5})
    files = plane.parts.base.files.operation(begun.id)
    files.tracking.mkdir()
    files.tracking_request.write_text("{")
    assert plane.finish(begun.id).state is State.COMPLETED


def test_what_an_exporter_did_after_its_supervisor_was_gone_is_shown_by_the_next(tmp_path: Path) -> None:
    with plane_at(tmp_path / "home") as plane:
        done = plane.finish(submit(plane, dead()))
        state = plane.parts.base.files.operation(done.id).tracking_state
    write_json(state, {"attempt": 1, "status": "logged", "runId": "r1", "experimentId": "1"})
    with plane_at(tmp_path / "home") as plane:
        told = experiment(plane.platform.operation(done.id))
        assert (told["status"], told["runId"]) == ("logged", "r1")
        assert not plane.parts.supervision.exports.is_outstanding


def test_a_removed_operation_is_forgotten(tmp_path: Path) -> None:
    with plane_at(tmp_path / "home", tracker_retry_s=(0.05,) * 100) as plane:
        done = plane.finish(submit(plane, dead()))
        plane.platform.delete(done.id)
        plane.until(plane.platform.is_idle)


@pytest.mark.slow  # MLflow's import and first migration
def test_a_retry_logs_exactly_once_and_is_shown(tmp_path: Path) -> None:
    folder, home = tmp_path / "later", tmp_path / "home"
    with plane_at(home) as plane:
        done = plane.finish(submit(plane, f"sqlite:///{folder}/tracker.db"))
        assert experiment(done)["status"] == "unreachable"
    folder.mkdir()
    with plane_at(home) as plane:
        plane.until(lambda: experiment(plane.platform.operation(done.id))["status"] == "logged", timeout_s=120)
        assert not plane.parts.supervision.exports.is_outstanding
        assert runs_of(f"sqlite:///{folder}/tracker.db") == [experiment(plane.platform.operation(done.id))["runId"]]
    with plane_at(home) as plane:
        assert not plane.parts.supervision.exports.is_outstanding


def runs_of(uri: str) -> list[str]:
    """Return the ids of a tracker's runs, asked in a process of its own: MLflow is not imported where tests run."""
    code = (
        f"from mlflow import MlflowClient; c = MlflowClient({uri!r}); "
        "print([r.info.run_id for e in c.search_experiments() for r in c.search_runs([e.experiment_id])])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: list[str] = ast.literal_eval(done.stdout.splitlines()[-1])
    return found
