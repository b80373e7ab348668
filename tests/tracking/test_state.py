"""What an exporter keeps between two tries, and what it inherits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tutelage.settings import exporter_environment, worker_environment
from tutelage.tracking.state import ExportState


def test_the_next_try_goes_on_where_the_last_one_stood(tmp_path: Path) -> None:
    state = ExportState(path=tmp_path / "state.json", attempt=1, run_id="r1", experiment_id="2")
    state.finish("params")
    again = ExportState.load(state.path, attempt=1)
    assert (again.run_id, again.experiment_id, again.done, again.status) == ("r1", "2", ["params"], "pending")


def test_a_resumed_run_is_exported_anew_into_the_same_run(tmp_path: Path) -> None:
    state = ExportState(path=tmp_path / "state.json", attempt=1, run_id="r1", experiment_id="2", done=["params"])
    state.end("logged")
    again = ExportState.load(state.path, attempt=2)
    assert (again.run_id, again.done, again.status) == ("r1", [], "pending")


def test_a_reason_is_one_short_line_without_credentials(tmp_path: Path) -> None:
    state = ExportState(path=tmp_path / "state.json", attempt=1)
    state.end("unreachable", "no\nanswer from http://me:secret@host/ " + "x" * 999)
    kept = json.loads(state.path.read_text())["detail"]
    assert kept.startswith("no answer from http://host/ xxx")
    assert len(kept) == 300


def test_only_the_exporter_inherits_the_trackers_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    given = exporter_environment(home=tmp_path)
    assert given["MLFLOW_TRACKING_PASSWORD"] == "secret"
    assert given["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert not {"MLFLOW_TRACKING_URI", "HTTPS_PROXY"} & set(given)
    assert "secret" not in worker_environment(home=tmp_path, cpus=1).values()
