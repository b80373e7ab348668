"""Operations on another machine: two supervisors on loopback, and between them a link that misbehaves."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.misbehaving import Proxy, proxy_to
from tests.serving import Served, served_at
from tests.support import start_supervisor, supervisor_at

from tutelage.client import Client, connect
from tutelage.core import wire
from tutelage.core.access import Scope
from tutelage.core.commands import Verb
from tutelage.core.errors import InvalidSpec, TutelageError, UnknownName
from tutelage.core.operation import State
from tutelage.settings import Settings

pytestmark = pytest.mark.slow  # two supervisors and a proxy

SHORT = {"service": "fake", "executor": "host:gpu", "config": {"steps": 40, "step_s": 0.01}}
STEPS_PER_S = 100
LONG = {"service": "fake", "executor": "host:gpu", "config": {"steps": 20_000, "step_s": 1 / STEPS_PER_S}}
Told = tuple[int, str, str, str, int | None, int, dict[str, Any]]


@dataclass
class Pair:
    """The supervisor that is asked, the one that trains, and the link between them."""

    here: Client
    there: Client
    proxy: Proxy
    served: Served
    home: Path

    @property
    def token(self) -> str:
        return self.served.tokens[Scope.OPERATE]

    def theirs(self, operation_id: str) -> wire.Operation:
        """Return the operation on the host, found by what it was asked to run for."""
        name = self.here.operation(operation_id).name
        return next(item for item in self.there.operations().items if item.name == name)

    def submit(self, document: dict[str, Any], name: str) -> str:
        return self.here.submit({**document, "name": name}).id

    def command(self, operation_id: str, verb: Verb, **args: Any) -> wire.Decision:
        return self.here.command(operation_id, wire.CommandRequest(verb=verb, args=args, reason="because"))

    def until(self, operation_id: str, holds: Callable[[wire.Operation], bool]) -> wire.Operation:
        """Look at an operation until something holds of it."""
        for _ in range(200):
            found = self.here.wait(operation_id, until="terminal", timeout_s=0.1).operation
            if holds(found):
                return found
        raise AssertionError(f"it did not come in time: {found}")

    def stop(self, operation_id: str) -> wire.Operation:
        self.command(operation_id, Verb.STOP)
        return self.here.wait(operation_id, timeout_s=30).operation


def told(client: Client, operation_id: str) -> list[Told]:
    """Return everything that a watcher reads of an operation, without what names the two sides."""
    events: list[wire.Event] = []
    page = client.events(operation_id, limit=5000)
    events += page.items
    while page.truncated:
        page = client.events(operation_id, since=page.next_cursor, limit=5000)
        events += page.items
    return [(e.seq, e.kind, e.at if e.seq > 1 else "", e.scope, e.step, e.attempt, _data(e)) for e in events]


def _data(event: wire.Event) -> dict[str, Any]:
    """Return an event's data without the ids of decisions and the principal, which each side names itself."""
    return {key: value for key, value in event.data.items() if key not in ("id", "principal")}


def assert_same(pair: Pair, operation_id: str) -> None:
    """Assert that both sides tell the same: every event once and in order, every point, the verdict."""
    here, there = pair.here.operation(operation_id), pair.theirs(operation_id)
    assert told(pair.here, operation_id) == told(pair.there, there.id)
    ours, theirs = pair.here.metrics(operation_id), pair.there.metrics(there.id)
    assert (ours.steps, ours.values, ours.repeated) == (theirs.steps, theirs.values, theirs.repeated)
    for name in ("state", "attempt", "phase", "assessment", "stopped_early", "error", "result", "ended_at"):
        assert getattr(here, name) == getattr(there, name), name
    assert here.metrics.best == there.metrics.best


@contextmanager
def paired(folder: Path, **environment: str) -> Iterator[Pair]:
    with ExitStack() as stack:
        served = stack.enter_context(served_at(folder / "there"))
        proxy = stack.enter_context(proxy_to(served.url))
        hosts = {"gpu": {"url": proxy.url, "token": served.tokens[Scope.OPERATE]}}
        given = {"TUTELAGE_HOSTS": json.dumps(hosts), **environment}
        _, here = stack.enter_context(supervisor_at(folder / "here", **given))
        there = stack.enter_context(connect(Settings(home=folder / "there"), start=False))
        yield Pair(here=here, there=there, proxy=proxy, served=served, home=folder / "here")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with paired(tmp_path_factory.mktemp("hosts")) as found:
        yield found


def test_a_run_on_a_host_looks_as_one_here(pair: Pair) -> None:
    operation_id = pair.submit(SHORT, "looks")
    found = pair.here.wait(operation_id, timeout_s=30).operation
    assert (found.state, found.executor, found.waiting_for) == (State.COMPLETED, "host:gpu", None)
    assert_same(pair, operation_id)
    local = pair.here.submit({**SHORT, "executor": "local"}).id
    pair.here.wait(local, timeout_s=30)
    assert pair.here.metrics(operation_id).values == pair.here.metrics(local).values
    assert pair.here.operation(operation_id).result == pair.here.operation(local).result
    assert [item.name for item in pair.here.artifacts(operation_id)] == ["weights.json"]
    assert (
        pair.here.artifact(operation_id, "weights.json").read_text()
        == pair.here.artifact(local, "weights.json").read_text()
    )
    steps = [item.step for item in pair.here.checkpoints(operation_id)]
    assert steps == [item.step for item in pair.here.checkpoints(local)]
    assert pair.here.environment(operation_id)["argv"]
    request = wire.UseRequest(data={"features": [1.0, 0.0, 0.0, 0.0, 0.0]})
    assert pair.here.use(operation_id, request).data == pair.here.use(local, request).data


@pytest.mark.parametrize("cut_s", [1, 10, 60])
def test_a_cut_link_is_waited_for_and_loses_nothing(pair: Pair, cut_s: int) -> None:
    operation_id = pair.submit(LONG, f"cut for {cut_s} s")
    pair.here.wait(operation_id, until="step>=5", timeout_s=30)
    pair.proxy.cut()
    try:
        waiting = pair.until(operation_id, lambda item: item.waiting_for is not None)
        assert waiting.state is State.RUNNING
        assert waiting.waiting_for is not None
        assert waiting.waiting_for.kind == "host"
        assert "'gpu' cannot be reached" in waiting.waiting_for.detail
        seen = pair.here.metrics(operation_id).steps[-1]
        end = f"step>={seen + cut_s * STEPS_PER_S}"  # the cut lasts for so many steps of the host
        pair.there.wait(pair.theirs(operation_id).id, until=end, timeout_s=30 + 2 * cut_s)
        assert pair.here.metrics(operation_id).steps[-1] == seen
    finally:
        pair.proxy.mend()
    pair.here.wait(operation_id, until=end, timeout_s=30)
    assert pair.until(operation_id, lambda item: item.waiting_for is None).state is State.RUNNING
    assert pair.stop(operation_id).state is State.COMPLETED
    assert_same(pair, operation_id)


def test_a_command_during_a_cut_waits_and_is_carried_out_once(pair: Pair) -> None:
    operation_id = pair.submit(LONG, "command")
    pair.here.wait(operation_id, until="step>=3", timeout_s=30)
    pair.proxy.cut()
    try:
        pair.until(operation_id, lambda item: item.waiting_for is not None)
        decision = pair.command(operation_id, Verb.TUNE, lr=0.01)
        (queued,) = pair.here.decisions(operation_id)
        assert (queued.status, queued.detail) == ("accepted", "queued: waits for host 'gpu'")
        assert pair.there.decisions(pair.theirs(operation_id).id) == []
        pair.proxy.swallow(b"POST ")  # and when the link is back, the first answer is lost
    finally:
        pair.proxy.mend()
    pair.until(operation_id, lambda _: pair.here.decisions(operation_id)[0].status == "applied")
    assert pair.proxy.num_swallowed
    assert pair.stop(operation_id).state is State.COMPLETED
    assert [item.verb for item in pair.there.decisions(pair.theirs(operation_id).id)] == [Verb.TUNE, Verb.STOP]
    ours = pair.here.decisions(operation_id)
    assert [(item.verb, item.status) for item in ours] == [(Verb.TUNE, "applied"), (Verb.STOP, "applied")]
    ids = [event.data["id"] for event in pair.here.events(operation_id, limit=5000).items if event.kind == "applied"]
    assert ids == [decision.id, ours[1].id]
    assert pair.here.verify_ledger().first_broken is None
    assert_same(pair, operation_id)


def test_a_lost_answer_to_the_submission_starts_nothing_twice(pair: Pair) -> None:
    pair.proxy.swallow(b"POST /api/v1/operations ")
    operation_id = pair.submit(SHORT, "twice")
    assert pair.here.wait(operation_id, timeout_s=30).operation.state is State.COMPLETED
    assert len([item for item in pair.there.operations().items if item.name == "twice"]) == 1
    assert_same(pair, operation_id)


def test_decisions_taken_on_the_host_are_in_the_ledger_here(pair: Pair) -> None:
    operation_id = pair.submit(LONG, "theirs")
    pair.here.wait(operation_id, until="step>=3", timeout_s=30)
    request = wire.CommandRequest(verb=Verb.PAUSE, reason="night")
    pair.there.command(pair.theirs(operation_id).id, request)
    pair.until(operation_id, lambda item: item.state is State.PAUSED)
    (decision,) = pair.here.decisions(operation_id)
    assert (decision.verb, decision.reason, decision.status) == (Verb.PAUSE, "night", "applied")
    pair.command(operation_id, Verb.RESUME)
    pair.until(operation_id, lambda item: item.state is State.RUNNING)
    pair.stop(operation_id)
    assert pair.here.operation(operation_id).attempt == 2
    assert_same(pair, operation_id)


def test_a_file_is_sent_once_by_its_content(pair: Pair, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n")
    document = {**SHORT, "config": {"steps": 2, "out_path": str(table)}}
    for name in ("first", "second"):
        operation_id = pair.submit(document, name)
        assert pair.here.wait(operation_id, timeout_s=30).operation.state is State.COMPLETED
        sent = pair.there.spec(pair.theirs(operation_id).id)["config"]["out_path"]
        assert Path(sent).parent.parent == pair.served.home / "inputs"
    assert len(list((pair.served.home / "inputs").iterdir())) == 1
    assert table.read_text() == "a,b\n1,2\n"


def test_what_the_host_refuses_fails_with_its_words(pair: Pair) -> None:
    operation_id = pair.submit({**SHORT, "resources": {"cpus": 500}}, "refused")
    found = pair.here.wait(operation_id, timeout_s=30).operation
    assert found.state is State.FAILED
    assert found.error is not None
    assert (found.error.code, "hands out 4" in found.error.message) == ("invalid_spec", True)


def test_hosts_are_listed_and_named_with_care(pair: Pair) -> None:
    local, gpu = pair.here.hosts()
    assert (local.name, gpu.name, gpu.reachable, gpu.cpus) == ("local", "gpu", True, 4)
    with pytest.raises(UnknownName, match="Did you mean 'gpu'"):
        pair.here.submit({**SHORT, "executor": "host:gpus"})
    with pytest.raises(TutelageError, match="executor is 'gpu'"):
        pair.here.submit({**SHORT, "executor": "gpu"})


def test_a_branch_is_made_where_its_parent_ran(pair: Pair) -> None:
    parent = pair.submit(SHORT, "parent")
    assert pair.here.wait(parent, timeout_s=30).operation.state is State.COMPLETED
    pair.proxy.swallow(b"/commands ")  # the host's answer is lost once: asked again, it branches no second time
    decision = pair.command(parent, Verb.BRANCH, **{"from": "best", "set": {"lr": 0.05}, "name": "child"})
    child = str(decision.created)
    done = pair.here.wait(child, timeout_s=30).operation
    assert (done.state, done.executor, done.name) == (State.COMPLETED, "host:gpu", "child")
    assert done.links[0].id == parent
    (there,) = [item for item in pair.there.operations().items if item.name == "child"]
    assert there.links[0].id == pair.theirs(parent).id
    assert there.links[0].at == done.links[0].at
    assert pair.here.spec(child)["config"]["lr"] == pair.there.spec(there.id)["config"]["lr"] == 0.05
    assert_same(pair, child)
    pair.until(parent, lambda _: told(pair.here, parent) == told(pair.there, pair.theirs(parent).id))
    assert [(item.verb, item.status, item.created) for item in pair.here.decisions(parent)] == [
        (Verb.BRANCH, "applied", child)
    ]


def test_a_branch_from_a_checkpoint_that_is_gone_is_refused(pair: Pair) -> None:
    operation_id = pair.submit(SHORT, "no such checkpoint")
    pair.here.wait(operation_id, timeout_s=30)
    with pytest.raises(InvalidSpec, match="there is no checkpoint at '7777'"):
        pair.command(operation_id, Verb.BRANCH, **{"from": "7777"})


def test_no_token_is_shown_or_kept(pair: Pair) -> None:
    assert pair.token not in "".join(item.model_dump_json() for item in pair.here.hosts())
    for path in pair.home.rglob("*"):
        if path.is_file():
            assert pair.token.encode() not in path.read_bytes(), path


def test_a_host_that_does_not_answer_yet_is_waited_for(tmp_path: Path) -> None:
    with paired(tmp_path) as pair:
        pair.proxy.cut()
        asleep, dropped = pair.submit(SHORT, "asleep"), pair.submit(SHORT, "dropped")
        pair.until(asleep, lambda item: item.waiting_for is not None and item.waiting_for.kind == "host")
        assert pair.here.hosts()[1].reachable is False
        assert pair.command(dropped, Verb.CANCEL).status == "applied"  # nobody there knows of it
        assert pair.here.operation(dropped).state is State.CANCELLED
        pair.proxy.mend()
        assert pair.here.wait(asleep, timeout_s=30).operation.state is State.COMPLETED
        assert [item.name for item in pair.there.operations().items] == ["asleep"]


def test_a_host_that_is_killed_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    with paired(tmp_path) as pair:
        operation_id = pair.submit(LONG, "killed")
        pair.here.wait(operation_id, until="step>=5", timeout_s=30)
        pair.served.process.send_signal(signal.SIGKILL)
        pair.until(operation_id, lambda item: item.waiting_for is not None)
        with served_at(pair.served.home) as again:
            pair.proxy.target = again.url
            pair.until(operation_id, lambda item: item.waiting_for is None)
            seen = pair.here.metrics(operation_id).steps[-1]
            pair.here.wait(operation_id, until=f"step>={seen + 20}", timeout_s=30)
            assert pair.stop(operation_id).attempt == 1
            assert_same(pair, operation_id)


def test_an_origin_that_is_killed_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    with paired(tmp_path) as pair:
        hosts = {"gpu": {"url": pair.proxy.url, "token": pair.token}}
        operation_id = pair.submit(LONG, "orphan")
        pair.here.wait(operation_id, until="step>=5", timeout_s=30)
        processes = []
        for _ in range(2):
            pid = json.loads((pair.home / "supervisor.json").read_text())["pid"]
            os.kill(pid, signal.SIGKILL)
            processes.append(start_supervisor(pair.home, TUTELAGE_HOSTS=json.dumps(hosts)))
            seen = pair.here.metrics(operation_id).steps[-1]
            pair.here.wait(operation_id, until=f"step>={seen + 20}", timeout_s=30)
        assert pair.stop(operation_id).state is State.COMPLETED
        assert_same(pair, operation_id)
        for process in processes:
            process.kill()
            process.wait()
