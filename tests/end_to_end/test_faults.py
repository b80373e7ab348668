"""Faults from outside, on real processes: kills, floods, a full disk, a locked database."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support import FAKE, end_processes, start_supervisor, supervisor_at

from tutelage.client import connect
from tutelage.core import wire
from tutelage.core.errors import SupervisorUnreachable, TutelageError
from tutelage.settings import Settings

pytestmark = pytest.mark.slow  # real supervisors, started, killed and starved


def comes(holds: Callable[[], bool], *, timeout_s: float = 30.0) -> bool:
    """Ask again and again until something holds."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if holds():
            return True
    return False


def steps_of(client, operation_id: str) -> list[int]:
    return client.metrics(operation_id, points=20_000).steps


def test_two_hundred_submissions_with_ten_keys_make_ten_operations(tmp_path: Path) -> None:
    with supervisor_at(tmp_path / "home") as (_, client):
        document = {"service": "fake", "config": {"steps": 2}}

        def submit(number: int) -> str:
            return client.submit(document, idempotency_key=f"key-{number % 10}").id

        with ThreadPoolExecutor(20) as pool:
            made = set(pool.map(submit, range(200)))
        assert len(made) == 10
        assert len(client.operations(limit=500).items) == 10


def test_a_killed_supervisor_is_replaced_and_its_worker_adopted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    process = start_supervisor(home)
    settings = Settings(home=home, services=FAKE)
    client = connect(settings, start=False)
    made = client.submit({"service": "fake", "config": {"steps": 900, "step_s": 0.005}})
    client.wait(made.id, until="step>=50", timeout_s=30)
    process.kill()
    process.wait()
    again = start_supervisor(home)
    adopted = connect(settings, start=False)
    shown = adopted.operation(made.id)
    assert (shown.state, shown.attempt) == ("running", 1)
    assert adopted.health().live == 1
    done = adopted.wait(made.id, timeout_s=60).operation
    assert (done.state, done.attempt) == ("completed", 1)
    assert steps_of(adopted, made.id) == list(range(1, 901))
    for one in (client, adopted):
        one.close()
    again.kill()
    again.wait()
    end_processes(home)


def test_kills_of_worker_and_supervisor_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    draw = random.Random(7)
    process = start_supervisor(home)
    settings = Settings(home=home, services=FAKE)
    client = connect(settings, start=False)
    config = {"steps": 1500, "step_s": 0.004, "checkpoint_every": 5}
    calm = client.submit({"service": "fake", "config": {**config, "step_s": 0.0}})
    made = client.submit({"service": "fake", "config": config, "policy": {"max_restarts": 50}})
    client.wait(calm.id, timeout_s=60)
    for _ in range(15):
        step = max(steps_of(client, made.id) or [0]) + draw.randrange(20, 60)
        if client.wait(made.id, until=f"step>={step}", timeout_s=20).operation.state == "completed":
            break
        if draw.random() < 0.5:
            process.kill()
            process.wait()
        pid = json.loads((home / "operations" / made.id / "worker.pid").read_text())["pid"]
        if draw.random() < 0.7:
            os.kill(pid, signal.SIGKILL)
        if process.returncode is not None:
            process = start_supervisor(home)
    done = client.wait(made.id, timeout_s=120).operation
    assert done.state == "completed"
    first = client.metrics(calm.id, keys=("val_loss",), points=20_000)
    second = client.metrics(made.id, keys=("val_loss",), points=20_000)
    assert (first.steps, first.values) == (second.steps, second.values)
    events = client.events(made.id, limit=10_000)
    assert [event.seq for event in events.items] == list(range(1, len(events.items) + 1))
    client.close()
    process.kill()
    process.wait()
    end_processes(home)


def test_a_watcher_that_comes_back_with_its_last_id_misses_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    process = start_supervisor(home)
    client = connect(Settings(home=home, services=FAKE), start=False)
    made = client.submit({"service": "fake", "config": {"steps": 800, "step_s": 0.005}})
    seen: list[wire.Event] = []
    for kill_after in (40, 200, 350):
        try:
            for event in client.stream(made.id, since=seen[-1].cursor if seen else None):
                seen.append(event)
                if len(seen) >= kill_after and process.returncode is None:
                    process.kill()
                    process.wait()
        except SupervisorUnreachable:
            process = start_supervisor(home)
    seen += client.stream(made.id, since=seen[-1].cursor)
    assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
    assert seen == client.events(made.id, limit=10_000).items
    told = [event.step for event in seen if "val_loss" in event.data.get("values", {})]
    assert told == list(range(1, 801))
    client.close()
    process.kill()
    process.wait()
    end_processes(home)


def test_a_locked_database_postpones_and_loses_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with supervisor_at(home) as (process, client):
        made = client.submit({"service": "fake", "config": {"steps": 2000, "step_s": 0.005}})
        client.wait(made.id, until="step>=20", timeout_s=30)
        other = sqlite3.connect(home / "tutelage.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TutelageError) as refused:
            client.submit({"service": "fake"})
        assert refused.value.code == "database_locked"
        assert comes(lambda: client.health().status == "degraded")
        other.execute("ROLLBACK")
        other.close()
        done = client.wait(made.id, timeout_s=60).operation
        assert (done.state, done.attempt) == ("completed", 1)
        assert steps_of(client, made.id) == list(range(1, 2001))
        assert process.poll() is None


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 6 MiB; needs the right to mount, which CI has."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_survived_and_said(small_disk: Path) -> None:
    home = small_disk / "home"
    with supervisor_at(home) as (process, client):
        made = client.submit({"service": "fake", "config": {"steps": 1200, "step_s": 0.005}})
        client.wait(made.id, until="step>=50", timeout_s=30)
        filler = small_disk / "filler"
        fill(filler)
        with pytest.raises(TutelageError) as refused:
            client.submit({"service": "fake", "name": "x" * 100, "tags": {f"k{i}": "v" * 900 for i in range(50)}})
        assert refused.value.code == "disk_full"
        assert process.poll() is None
        filler.unlink()
        done = client.wait(made.id, timeout_s=90).operation
        assert (done.state, done.attempt) == ("completed", 1)
        assert steps_of(client, made.id) == list(range(1, 1201))
        assert client.health().status == "ok"
        assert client.submit({"service": "fake", "config": {"steps": 2}}).state == "pending"


def fill(path: Path) -> None:
    """Write until there is no room."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return


def test_the_supervisor_ends_by_itself_and_the_next_command_starts_another(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    process = start_supervisor(home, TUTELAGE_IDLE_S="0.3")
    settings = Settings(home=home, services=FAKE)
    client = connect(settings, start=False)
    made = client.submit({"service": "fake", "config": {"steps": 5}})
    client.wait(made.id, timeout_s=30)
    client.close()
    assert process.wait(20) == 0
    assert not (home / "supervisor.json").exists()
    assert not list(home.glob("*.sock"))
    second = start_supervisor(home)
    with_second = connect(settings, start=False)
    assert with_second.operation(made.id).state == "completed"
    with_second.close()
    second.kill()
    second.wait()


def test_a_second_supervisor_gives_way(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with supervisor_at(home) as (first, client):
        rival = subprocess.run(
            [os.sys.executable, "-m", "tutelage.supervisor", "--home", str(home)], capture_output=True, timeout=30
        )
        assert rival.returncode == 75
        assert client.health().pid == first.pid


def test_a_long_home_path_still_gets_a_socket(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30) / "home"
    home.parent.mkdir()
    with supervisor_at(home) as (_, client):
        assert client.health().status == "ok"
