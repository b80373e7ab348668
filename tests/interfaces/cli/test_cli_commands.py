"""The command line against a real supervisor and a real, small training."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from cli_support import Cli

from tutelage.client import Client
from tutelage.core import wire

pytestmark = pytest.mark.slow  # a supervisor and worker processes are started

SPEC = {"service": "fake", "name": "small", "config": {"steps": 60, "step_s": 0.005}}
LONG = {"service": "fake", "name": "long", "config": {"steps": 100_000, "step_s": 0.01}}


@pytest.fixture(scope="module")
def finished(client: Client) -> str:
    operation = client.submit(SPEC)
    assert client.wait(operation.id, timeout_s=60).operation.state == "completed"
    return operation.id


@pytest.fixture
def running(client: Client) -> str:
    operation = client.submit(LONG)
    assert client.wait(operation.id, until="step>=20", timeout_s=60).reached
    return operation.id


def end(client: Client, operation_id: str) -> None:
    client.command(operation_id, wire.CommandRequest(verb="cancel"))
    client.wait(operation_id, timeout_s=60)


def test_train_prints_the_id_the_home_and_three_commands(cli: Cli, home: Path) -> None:
    ran = cli("train", json.dumps(SPEC), "--name", "named")
    assert ran.code == 0
    assert "(named)" in ran.out
    assert str(home) in ran.out
    assert ran.out.count("  tutelage ") == 3


def test_train_follow_prints_a_line_a_change_and_the_ending(cli: Cli, client: Client) -> None:
    ran = cli("train", json.dumps(SPEC), "--follow", "--set", "steps=30")
    assert ran.code == 0
    for part in ("phase: training", "step ", "completed", "Files", "Next"):
        assert part in ran.out
    assert ran.err == ""


def test_train_output_writes_the_result(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    ran = cli("train", json.dumps(SPEC), "--output", str(target))
    assert ran.code == 0
    assert str(target) in ran.out.replace("\n", "")
    assert json.loads(target.read_text()) == cli("show", "last", "--json").json()["result"]


def test_train_output_writes_the_failure_too(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    ran = cli("train", json.dumps(SPEC), "--set", "crash_at=5", "--output", str(target))
    assert ran.code == 1
    written = json.loads(target.read_text())
    assert written["success"] is False
    assert written["error"]["code"] == "training_failed"
    assert not written["error"]["message"].startswith("op_")
    assert written["error"]["message"]
    assert "Traceback" not in ran.out + ran.err


def test_train_output_writes_a_refused_spec_too(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    ran = cli("train", json.dumps(SPEC), "--set", "stepz=5", "--output", str(target))
    assert ran.code == 2
    assert json.loads(target.read_text())["error"]["code"] in ("unknown_name", "invalid_spec")
    assert "steps" in ran.err


def test_train_dry_run_starts_nothing(cli: Cli, client: Client) -> None:
    before = len(client.operations(limit=500).items)
    assert cli("train", json.dumps(SPEC), "--dry-run", "--json").json()["config"]["steps"] == 60  # type: ignore[index]
    assert len(client.operations(limit=500).items) == before


@pytest.mark.parametrize(
    ("arguments", "model"),
    [
        (("show",), wire.Operation),
        (("metrics",), wire.MetricHistory),
        (("logs",), wire.LogPage),
        (("lineage",), wire.Lineage),
        (("wait",), wire.WaitResult),
    ],
)
def test_json_has_the_shape_of_the_rest_answer(
    cli: Cli, finished: str, arguments: tuple[str, ...], model: type[wire.Wire]
) -> None:
    ran = cli(*arguments, finished, "--json")
    assert ran.code == 0
    assert model.model_validate_json(ran.out).model_dump(mode="json", by_alias=True) == ran.json()


@pytest.mark.parametrize("command", ["artifacts", "decisions"])
def test_json_of_lists_has_items(cli: Cli, finished: str, command: str) -> None:
    assert isinstance(cli(command, finished, "--json").json()["items"], list)


@pytest.mark.parametrize(
    "arguments",
    [
        ("show",),
        ("show", "--why"),
        ("metrics",),
        ("lineage",),
        ("artifacts",),
        ("decisions",),
        ("spec",),
        ("env",),
        ("wait",),
    ],
)
def test_each_reading_command_answers_by_the_ending_of_an_id(
    cli: Cli, finished: str, arguments: tuple[str, ...]
) -> None:
    ran = cli(arguments[0], finished[-12:], *arguments[1:])
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.strip()


@pytest.mark.parametrize(
    "arguments",
    [("ops",), ("services",), ("services", "fake"), ("hosts",), ("decisions", "--verify"), ("gc", "--dry-run")],
)
def test_each_command_on_the_home_answers(cli: Cli, finished: str, arguments: tuple[str, ...]) -> None:
    ran = cli(*arguments)
    assert (ran.code, ran.err) == (0, "")
    assert cli(*arguments, "--json").json()


def test_an_empty_log_is_said(cli: Cli, finished: str) -> None:
    ran = cli("logs", finished)
    assert (ran.code, ran.out, ran.err) == (0, "", "The log is empty.\n")
    assert cli("logs", finished, "--follow").code == 0


def test_an_artifact_is_fetched(cli: Cli, finished: str, tmp_path: Path) -> None:
    assert cli("artifacts", finished, "--get", "weights.json", "-o", str(tmp_path / "w.json")).code == 0
    assert json.loads((tmp_path / "w.json").read_text())
    assert cli("artifacts", finished, "--get", "none").code == 2


def test_acting_on_a_run_is_recorded_with_its_reason(cli: Cli, client: Client, running: str) -> None:
    assert cli("tune", running, "lr=0.01", "--reason", "too fast").code == 0
    assert 'pause: "later"' in cli("pause", running, "-r", "later").out
    assert next(event for event in client.stream(running) if event.data.get("state") == "paused")
    assert cli("cancel", running, "--reason", "enough").code == 0
    assert [entry.verb for entry in client.decisions(running)] == ["tune", "pause", "cancel"]
    assert "## " in cli("decisions", running, "--markdown").out


def test_a_branch_names_the_new_operation(cli: Cli, client: Client, finished: str) -> None:
    ran = cli("branch", finished, "--from", "last", "--set", "steps=70", "--name", "twin", "--json")
    created = ran.json()["created"]
    assert isinstance(created, str)
    assert client.wait(created, timeout_s=60).operation.name == "twin"
    assert cli("compare", finished, created).code == 0
    assert cli("rm", created).code == 0
    assert cli("show", created).code == 2


def test_an_illegal_command_says_what_is_legal(cli: Cli, finished: str) -> None:
    ran = cli("pause", finished)
    assert ran.code == 2
    assert ran.err.startswith("Error (illegal command): pause")
    assert "legal now: " in ran.err
    assert cli("pause", finished, "--json").json()["code"] == "illegal_command"


def test_wait_says_in_its_exit_code_how_it_went(cli: Cli, client: Client, running: str) -> None:
    assert cli("wait", running, "--timeout", "0.1").code == 1
    end(client, running)
    assert cli("wait", running).code == 1


def test_a_killed_supervisor_is_replaced_by_the_next_command(
    cli: Cli, client: Client, home: Path, running: str
) -> None:
    os.kill(json.loads((home / "supervisor.json").read_text())["pid"], signal.SIGKILL)
    ran = cli("show", running, "--json")
    assert ran.code == 0
    assert ran.json()["state"] == "running"
    end(client, running)


def test_follow_of_an_ended_operation_ends(cli: Cli, finished: str) -> None:
    assert cli("follow", finished).code == 0
    lines = cli("follow", finished, "--json").out.splitlines()
    assert wire.Event.model_validate_json(lines[-1]).operation == finished


def test_init_writes_a_spec_that_is_accepted(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "spec.yaml"
    assert cli("init", "fake", "-o", str(target)).code == 0
    assert cli("train", str(target), "--dry-run").code == 0
    assert cli("init", "fake", "-o", str(target)).code == 2


def test_doctor_finds_nothing_wrong(cli: Cli, client: Client) -> None:
    ran = cli("doctor", "--json")
    assert ran.json()["healthy"] is True, ran.out
    assert "supervisor" in cli("doctor").out
