"""`tutelage serve` as people and programs meet it: it takes the home over, hands it on, serves the command line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.serving import Served, environment_of, served_at
from tests.support import FAKE, supervisor_at

from tutelage.client import connect
from tutelage.core.access import Scope
from tutelage.core.operation import State
from tutelage.settings import Settings

LONG = {"service": "fake", "config": {"steps": 20000, "step_s": 0.01}}


def tutelage(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tutelage", *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )


def test_it_takes_a_home_over_and_its_runs_go_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with supervisor_at(home) as (process, client):
        operation_id = client.submit(LONG).id
        client.wait(operation_id, until="step>=5", timeout_s=30)
        with served_at(home) as served:
            assert process.wait(20) in (0, -signal.SIGTERM)
            assert client.operation(operation_id).state is State.RUNNING
            assert client.operation(operation_id).attempt == 1
            with connect(Settings(home=home, url=served.url, token=served.tokens[Scope.OPERATE])) as remote:
                assert remote.wait(operation_id, until="step>=20", timeout_s=30).reached


def test_a_home_is_served_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with served_at(home) as served:
        second = tutelage("serve", "--port", "0", **environment_of(home))
        assert second.returncode == 2
        assert f"served already, at {served.url}" in second.stderr


@pytest.mark.slow  # a supervisor ends and another starts
def test_what_is_not_done_goes_on_when_it_ends(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with served_at(home) as served:
        with connect(Settings(home=home, services=FAKE), start=False) as client:
            operation_id = client.submit(LONG).id
            client.wait(operation_id, until="step>=5", timeout_s=30)
        with served.http() as http:
            url, headers = f"/api/v1/operations/{operation_id}/events", {"Accept": "text/event-stream"}
            with http.stream("GET", url, headers=headers) as stream:
                lines = stream.iter_lines()
                assert next(lines).startswith("id:")
                assert served.end() == 0
                assert list(lines)[-1] == ""  # the stream ended well, between two events
        assert served.process.stderr is not None
        assert served.process.stderr.read() == ""
        with connect(Settings(home=home, services=FAKE), start=False) as client:
            assert client.operation(operation_id).attempt == 1
            assert client.wait(operation_id, until="step>=20", timeout_s=30).reached


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "0.0.0.0"], "can be reached from other machines"),
        (["--host", "::"], "can be reached from other machines"),
        (["--tls-cert", "cert.pem"], "belong together"),
        (["--tls-cert", "none.pem", "--tls-key", "none.pem"], "there is no file none.pem"),
        (["--host", "not a name"], "is no address"),
    ],
)
def test_an_unsafe_port_is_refused_before_anything_is_taken_over(tmp_path: Path, options: list[str], says: str) -> None:
    refused = tutelage("serve", "--port", "0", *options, **environment_of(tmp_path / "home"))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert says in refused.stderr


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = tutelage("serve", "--port", port, **environment_of(tmp_path / "home"))
    assert refused.returncode == 2
    assert "Address already in use" in refused.stderr


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> object:
    with served_at(tmp_path_factory.mktemp("cli") / "home", "--allowed-host", "tutelage.example") as server:
        yield server


class TestTheCommandLineOverTcp:
    """Every command that speaks to a server, with nothing but an address and a token."""

    def run(
        self, served: Served, *arguments: str, scope: Scope = Scope.ADMIN, cwd: Path
    ) -> subprocess.CompletedProcess[str]:
        away = {"TUTELAGE_HOME": str(cwd / "nowhere"), "TUTELAGE_URL": served.url}
        return tutelage(*arguments, cwd=cwd, **away, TUTELAGE_TOKEN=served.tokens[scope])

    @pytest.mark.slow  # eighteen commands, each a process of its own
    def test_a_whole_life(self, served: Served, tmp_path: Path) -> None:
        (tmp_path / "spec.json").write_text(json.dumps({"service": "fake", "config": {"steps": 60}}))
        trained = self.run(served, "train", "spec.json", "--follow", "--json", scope=Scope.OPERATE, cwd=tmp_path)
        assert trained.returncode == 0, trained.stderr
        for command in (
            "services", "services fake", "hosts", "ops", "show last", "show last --why", "wait last", "logs last",
            "metrics last", "decisions last", "decisions --verify", "lineage last", "spec last", "env last",
            "artifacts last", "checkpoint last", "doctor",
        ):  # fmt: skip
            done = self.run(served, *command.split(), "--json", scope=Scope.OPERATE, cwd=tmp_path)
            wanted = 2 if command.startswith("checkpoint") else 0
            assert done.returncode == wanted, (command, done.stdout, done.stderr)
            json.loads(done.stdout)
        assert not (tmp_path / "nowhere").exists()

    def test_a_file_is_fetched(self, served: Served, tmp_path: Path) -> None:
        (tmp_path / "spec.json").write_text(json.dumps({"service": "fake", "config": {"steps": 20}}))
        self.run(served, "train", "spec.json", "--follow", cwd=tmp_path)
        done = self.run(served, "artifacts", "last", "--get", "weights.json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "weights.json").stat().st_size > 0

    def test_a_scope_that_is_too_small_says_which_is_needed(self, served: Served, tmp_path: Path) -> None:
        done = self.run(served, "gc", scope=Scope.OPERATE, cwd=tmp_path)
        assert done.returncode == 2
        assert "scope admin" in done.stderr

    def test_tokens_are_made_listed_and_revoked(self, served: Served, tmp_path: Path) -> None:
        arguments = ("token", "create", "carol", "--kind", "person", "--expires", "1d", "--json")
        made = json.loads(self.run(served, *arguments, cwd=tmp_path).stdout)
        assert made["secret"].startswith("tut_")
        listed = self.run(served, "token", "list", "--json", cwd=tmp_path).stdout
        assert made["secret"] not in listed
        assert made["id"] in listed
        assert self.run(served, "token", "revoke", "carol", cwd=tmp_path).returncode == 0
        assert made["id"] not in self.run(served, "token", "list", "--json", cwd=tmp_path).stdout
        assert "Did you mean" in self.run(served, "token", "revoke", "carl", cwd=tmp_path).stderr

    def test_without_a_token_it_says_what_to_do(self, served: Served, tmp_path: Path) -> None:
        done = tutelage("ops", cwd=tmp_path, TUTELAGE_URL=served.url, TUTELAGE_HOME=str(tmp_path / "nowhere"))
        assert done.returncode == 2
        assert "tutelage token create" in " ".join(done.stderr.split())

    def test_an_allowed_name_is_answered(self, served: Served) -> None:
        assert served.ask("GET", "/healthz", headers={"Host": "tutelage.example"}).status_code == 200
