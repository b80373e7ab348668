"""Which trackers may be asked, and how an export is told of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tutelage.core.errors import InvalidSpec, NotYet
from tutelage.core.layout import OperationFiles
from tutelage.core.tracking import TrackingRequest, ask, asked, check_uri, experiment_of, without_userinfo


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:5000",
        "https://mlflow.example.org/team",
        "http://127.0.0.1:5000",
        "http://[::1]:5000",
        "http://10.1.2.3",
        "sqlite:////data/mlflow.db",
    ],
)
def test_servers_and_database_files_are_taken(uri: str) -> None:
    assert check_uri(uri) == uri


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("http://169.254.169.254/latest", "link-local"),
        ("http://[fe80::1]:5000", "link-local"),
        ("http://[::ffff:169.254.169.254]", "link-local"),
        ("http://[fd00:ec2::254]", "link-local"),
        ("http://0.0.0.0:5000", "not the address"),
        ("http://224.0.0.1", "not the address"),
        ("http://user:secret@host", "credentials"),
        ("http://secret@host", "credentials"),
        ("http://host/?a=b", "not a tracker"),
        ("http://", "not a tracker"),
        ("http://host:99999999", "not an address"),
        ("http://host\n", "control characters"),
        ("sqlite:///relative.db", "absolute"),
        ("sqlite:////a.db?mode=x", "absolute"),
        ("file:///mlruns", "file store"),
        ("./mlruns", "file store"),
    ],
)
def test_other_addresses_are_refused(uri: str, says: str) -> None:
    with pytest.raises(InvalidSpec, match=says) as refused:
        check_uri(uri)
    assert "secret" not in f"{refused.value.message} {refused.value.hint}"


def test_trackers_of_other_kinds_are_not_built_yet() -> None:
    with pytest.raises(NotYet, match="postgresql"):
        check_uri("postgresql://host/db")


def test_credentials_are_cut_out_of_every_address_of_a_text() -> None:
    assert without_userinfo("a http://u:p@h/x and postgresql://t@d/y @z") == "a http://h/x and postgresql://d/y @z"


@pytest.fixture
def files(tmp_path: Path) -> OperationFiles:
    return OperationFiles(tmp_path)


def request_of(attempt: int = 1) -> TrackingRequest:
    return TrackingRequest(attempt=attempt, uri="http://localhost:5000")


def test_without_a_request_tracking_is_disabled(files: OperationFiles) -> None:
    assert experiment_of(files) == {"status": "disabled"}


def test_a_damaged_request_asks_for_nothing(files: OperationFiles) -> None:
    ask(files, request_of())
    files.tracking_request.write_text('{"uri": 3}')
    assert asked(files) is None


def test_an_export_is_pending_until_its_exporter_has_spoken(files: OperationFiles) -> None:
    ask(files, request_of())
    block = {"status": "pending", "runId": None, "experimentId": None, "trackingUri": "http://localhost:5000"}
    assert experiment_of(files) == block


def test_what_was_said_of_an_earlier_attempt_keeps_the_run_and_nothing_else(files: OperationFiles) -> None:
    ask(files, request_of())
    said = {"attempt": 1, "status": "logged", "runId": "r1", "experimentId": "1", "modelVersion": "3"}
    files.tracking_state.write_text(json.dumps(said))
    assert experiment_of(files)["modelVersion"] == "3"
    ask(files, request_of(2))
    block = experiment_of(files)
    assert (block["status"], block["runId"]) == ("pending", "r1")
    assert "modelVersion" not in block
