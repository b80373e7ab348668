"""Exports to MLflow on real processes: the embedded tracker, a server that comes late, kills, servers that fail."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import end_processes
from tests.tracking.servers import answering, black_hole, free_port, held_port

from tutelage.client import connect
from tutelage.core.atomic import write_json
from tutelage.core.layout import HomeFiles, OperationFiles
from tutelage.settings import Settings, exporter_environment

# MLflow's import, migration and server take 3 to 13 s each, and several times that where other tests run beside
pytestmark = [pytest.mark.slow, pytest.mark.needs_shared_data, pytest.mark.timeout(600)]
LOOK = Path(__file__).parents[1] / "tracking" / "look.py"
ROWS = 700


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a part of a real table and a short job on it."""
    made = tmp_path_factory.mktemp("mlflow")
    table = Path(os.environ["TUTELAGE_TEST_DATA"]) / "tabular" / "telco_churn.csv"
    (made / "churn.csv").write_text("\n".join(table.read_text().splitlines()[: ROWS + 1]) + "\n")
    yield made
    end_processes(made / "home")


def tutelage(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "TUTELAGE_HOME": str(folder / "home"), "TUTELAGE_IDLE_S": "3"}
    return subprocess.run(
        [sys.executable, "-m", "tutelage", *arguments], env=env, cwd=folder, capture_output=True, text=True, timeout=200
    )


def train(folder: Path, tracking: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Train a short job by the command line; return the result document that it wrote."""
    job = {
        "task": "train_model",
        "algorithm": "lightgbm",
        "trainDataPath": "churn.csv",
        "targetColumn": "Churn",
        "optimizeFor": "recall",
        "hyperparameterSearch": {"nTrials": 3},
        "experimentTracking": {"enabled": True, **tracking},
        **more,
    }
    (folder / "job.json").write_text(json.dumps(job))
    done = tutelage("train", "job.json", "--output", "out.json", folder=folder)
    assert (folder / "out.json").exists(), done.stderr
    document: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return document


def look(uri: str, *model: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, str(LOOK), uri, *model], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return document


def check_predictions(folder: Path, said: dict[str, Any]) -> None:
    """The tracker's model says what `tutelage predict` says, to the last bit."""
    done = tutelage("predict", "last", "churn.csv", "-o", "predicted.csv", folder=folder)
    assert done.returncode == 0, done.stderr
    with (folder / "predicted.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert said["labels"] == [row["prediction"] for row in rows]
    assert said["shares"] == [float(row["probability_Yes"]) for row in rows]


def until(holds: Callable[[], bool], *, timeout_s: float) -> None:
    """Ask again and again until something holds."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.2)


def answers(uri: str) -> bool:
    try:
        with urllib.request.urlopen(f"{uri}/health", timeout=5):
            return True
    except OSError:
        return False


def newest(folder: Path) -> OperationFiles:
    home = HomeFiles(folder / "home")
    return home.operation(max(path.name for path in home.operations.iterdir()))


@pytest.fixture(scope="module")
def embedded(folder: Path) -> dict[str, Any]:
    return train(folder, {"experimentName": "churn"}, metric="roc_auc")


def test_the_embedded_tracker_holds_the_whole_run(embedded: dict[str, Any], folder: Path) -> None:
    told, uri = embedded["experiment"], f"sqlite:///{folder / 'home' / 'mlflow.db'}"
    assert (told["status"], told["trackingUri"]) == ("logged", uri)
    held = look(uri, "churn", "candidate", str(folder / "churn.csv"))
    [run] = held["runs"]
    assert (run["id"], run["status"], run["experiment"]) == (told["runId"], "FINISHED", "churn")
    assert run["tags"]["tutelage.operation"] == newest(folder).root.name
    assert run["params"]["config.hyperparameterSearch.nTrials"] == "3"
    assert run["params"]["learning_rate"] == str(embedded["bestParams"]["learning_rate"])
    assert [step for step, _ in run["metrics"]["roc_auc"]] == [0, 1, 2]
    assert [step for step, _ in run["metrics"]["final/val_logloss"]][:3] == [0, 1, 2]
    assert run["metrics"]["test.roc_auc"] == [[0, embedded["metrics"]["test"]["roc_auc"]]]
    assert {"confusion_matrix.png", "result.json"} <= set(run["artifacts"])
    assert run["versions"] == [["churn", "1"]]
    assert held["model"]["inputs"] == embedded["metadata"]["features"]
    assert held["model"]["example"] == 5
    check_predictions(folder, held["model"])


def test_the_supervisor_imports_no_mlflow(embedded: dict[str, Any], folder: Path) -> None:
    """MLflow brings NumPy, whose library would be mapped; the exporter is a process of its own."""
    tutelage("ops", folder=folder)
    pid = json.loads((folder / "home" / "supervisor.json").read_text())["pid"]
    mapped = Path(f"/proc/{pid}/maps").read_text()
    assert "libsqlite3" in mapped
    assert "/numpy/" not in mapped


def test_a_failed_run_says_how_its_export_went(folder: Path) -> None:
    failed = train(folder, {"experimentName": "failing"}, targetColumn="absent")
    assert failed["success"] is False
    assert failed["experiment"]["status"] == "logged"
    held = look(failed["experiment"]["trackingUri"])
    run = next(run for run in held["runs"] if run["experiment"] == "failing")
    assert (run["status"], run["tags"]["tutelage.error.code"]) == ("FAILED", failed["error"]["code"])


def export_to(uri: str, folder: Path, origin: OperationFiles) -> tuple[OperationFiles, subprocess.Popen[bytes]]:
    """Start the exporter of a finished operation for another tracker."""
    request = json.loads(origin.tracking_request.read_text())
    write_json(origin.tracking_request, {**request, "uri": uri})
    home = folder / "home"
    with origin.tracking_log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tutelage.tracking", "--home", str(home), "--operation", origin.root.name],
            env=exporter_environment(home=home),
            stdout=log,
            stderr=log,
        )
    return origin, process


@pytest.fixture
def finished(embedded: dict[str, Any], folder: Path) -> Iterator[OperationFiles]:
    """The exported operation, to be exported again elsewhere; its own files are put back."""
    files = HomeFiles(folder / "home").operation(_operation_of(folder, embedded))
    kept = folder / "kept"
    shutil.copytree(files.tracking, kept)
    files.tracking_state.unlink()
    yield files
    shutil.rmtree(files.tracking)
    kept.rename(files.tracking)


def _operation_of(folder: Path, result: dict[str, Any]) -> str:
    for path in (folder / "home" / "operations").glob("*/tracking/state.json"):
        if json.loads(path.read_text())["runId"] == result["experiment"]["runId"]:
            return path.parents[1].name
    raise AssertionError("the run of this result is not there")


def test_kills_in_each_stage_double_nothing(finished: OperationFiles, folder: Path, tmp_path: Path) -> None:
    uri, state = f"sqlite:///{tmp_path / 'tracker.db'}", finished.tracking_state
    for stage in ('"runId": "', '"metrics"', '"artifacts"', '"model"'):
        _, process = export_to(uri, folder, finished)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if state.exists() and stage in state.read_text():
                break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    _, process = export_to(uri, folder, finished)
    assert process.wait(120) == 0, finished.tracking_log.read_text()[-2000:]
    [run] = look(uri)["runs"]
    assert (run["status"], run["models"], run["versions"]) == ("FINISHED", 1, [["churn", "1"]])
    for name, points in run["metrics"].items():
        assert len({step for step, _ in points}) == len(points), name
    _, process = export_to(uri, folder, finished)
    assert process.wait(120) == 0
    assert look(uri)["runs"] == [run]


@pytest.mark.parametrize("kind", ["closed", "black hole", "500"])
def test_a_dead_tracker_costs_seconds(finished: OperationFiles, folder: Path, kind: str) -> None:
    with contextlib.ExitStack() as stack:
        if kind == "closed":
            uri = f"http://127.0.0.1:{free_port()}"
        else:
            uri = stack.enter_context(black_hole() if kind == "black hole" else answering(500))
        begun = time.monotonic()
        _, process = export_to(uri, folder, finished)
        assert process.wait(60) == 1
        took_s = time.monotonic() - begun
    assert json.loads(finished.tracking_state.read_text())["status"] == "unreachable"
    assert took_s < 15  # 5 s at most on a quiet machine; MLflow by itself took 150 s


def test_a_server_that_is_healthy_and_fails_all_the_same_is_given_up(finished: OperationFiles, folder: Path) -> None:
    with answering(200, other=500) as uri:
        _, process = export_to(uri, folder, finished)
        assert process.wait(90) == 1
    told = json.loads(finished.tracking_state.read_text())
    assert told["status"] == "unreachable"
    assert "500" in told["detail"]


class LateServer:
    """An MLflow server whose address is known, and refused, before it starts."""

    def __init__(self, folder: Path, port: int, holder: contextlib.ExitStack) -> None:
        self.uri = f"http://127.0.0.1:{port}"
        self._folder, self._port, self._holder = folder, port, holder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Give the port to the server; start it again where it ends at once, its port taken in that instant."""
        self._holder.close()
        deadline = time.monotonic() + 400
        while not answers(self.uri):
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            if self._process is None or self._process.poll() is not None:
                self._process = self._started()
            time.sleep(0.2)

    @property
    def log(self) -> Path:
        return self._folder / "server.log"

    def _started(self) -> subprocess.Popen[bytes]:
        program = Path(sys.executable).with_name("mlflow")
        arguments = [str(program), "server", "--host", "127.0.0.1", "--port", str(self._port), "--workers", "1"]
        arguments += ["--backend-store-uri", f"sqlite:///{self._folder}/server.db"]
        arguments += ["--artifacts-destination", str(self._folder)]
        env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                arguments, cwd=self._folder, env=env, stdout=log, stderr=log, start_new_session=True
            )

    def end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LateServer]:
    """The address of an MLflow server, and what starts it."""
    with contextlib.ExitStack() as holder:
        made = LateServer(tmp_path, holder.enter_context(held_port()), holder)
        yield made
        made.end()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a refused Unix socket, left unclosed
def test_a_server_that_comes_late_gets_the_run_once(folder: Path, server: LateServer) -> None:
    uri = server.uri
    done = train(folder, {"experimentName": "late", "trackingUri": uri, "modelAlias": "champion"})
    assert (done["success"], done["experiment"]["status"]) == (True, "unreachable")
    server.start()
    end_processes(folder / "home")  # the next supervisor tries at once, whatever pause the first one had come to
    for name in ("supervisor.json", "supervisor.sock"):
        (folder / "home" / name).unlink(missing_ok=True)  # of a killed process: nobody listens there
    with connect(Settings(home=folder / "home")) as client:
        operation = newest(folder).root.name
        until(lambda: client.operation(operation).result["experiment"]["status"] == "logged", timeout_s=120)
        told = client.operation(operation).result["experiment"]
    held = look(uri, "late", "champion", str(folder / "churn.csv"))
    [run] = held["runs"]
    assert run["id"] == told["runId"]
    assert [step for step, _ in run["metrics"]["roc_auc"]] == [0, 1, 2]
    assert run["versions"] == [["late", "1"]]
    assert "confusion_matrix.png" in run["artifacts"]
    assert set(held["model"]["inputs"]) == set(done["metadata"]["features"])
    check_predictions(folder, held["model"])
