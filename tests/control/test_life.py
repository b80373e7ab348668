"""The life of operations on a control plane with real workers: every ending, every command."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import ME, Plane, plane_at

from tutelage.control import commands, supervision
from tutelage.core import wire
from tutelage.core.commands import Verb
from tutelage.core.errors import DiskFull, IdempotencyConflict, IllegalCommand, InvalidSpec, NotFound, UnknownName
from tutelage.core.operation import State

SLOW = {"steps": 100_000, "step_s": 0.005}


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    with plane_at(tmp_path / "home") as made:
        yield made


def worker_pid(plane: Plane, operation_id: str) -> int:
    """Return the process of the present attempt, as soon as it is told."""
    path = plane.parts.base.files.operation(operation_id).pid
    plane.until(path.exists)
    return int(json.loads(path.read_text())["pid"])


def losses(plane: Plane, operation_id: str) -> dict[int, float]:
    shown = plane.platform.metrics(operation_id, keys=("val_loss",))
    return dict(zip(shown.steps, shown.values["val_loss"], strict=True))


def test_a_spec_becomes_a_trained_judged_usable_model(plane: Plane) -> None:
    begun = plane.submit({"steps": 60}, name="first", tags={"project": "x"})
    assert begun.state is State.PENDING
    done = plane.finish(begun.id)
    assert done.state is State.COMPLETED
    assert done.result is not None
    assert done.result["steps"] == 60
    assert len(losses(plane, begun.id)) == 60
    assert done.metrics.best is not None
    assert done.metrics.best.value == min(losses(plane, begun.id).values())
    assert done.assessment is not None
    assert done.assessment.verdict == "finished"
    assert "always zero" in done.assessment.sentence
    assert done.progress.fraction == 1.0
    answer = plane.platform.use(begun.id, wire.UseRequest(data={"features": [0, 0, 0, 0, 0]}))
    assert answer.data == {"prediction": 0.0}
    assert [entry.operation for entry in plane.platform.models()] == [begun.id]
    assert [item.name for item in plane.platform.artifacts(begun.id)] == ["weights.json"]
    assert plane.platform.environment(begun.id)["packages"]["pydantic"]


def test_events_are_dense_and_in_order(plane: Plane) -> None:
    begun = plane.submit({"steps": 30})
    plane.finish(begun.id)
    events = plane.platform.events(begun.id, limit=10_000).items
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    states = [event.data["state"] for event in events if event.kind == "state" and "from" in event.data]
    assert states == ["pending", "running", "completed"]
    kinds = [event.kind for event in events if event.attempt == 1 and event.kind not in ("state", "verdict")]
    assert kinds[0] == "attempt_started"
    told = [event.data["name"] for event in events if event.kind == "artifact"]
    assert told == [item.name for item in plane.platform.artifacts(begun.id)]


@pytest.mark.slow  # trains twice, with pauses
@pytest.mark.parametrize("kills", [1, 3])
def test_a_killed_worker_goes_on_by_itself_with_nothing_lost_or_doubled(plane: Plane, kills: int) -> None:
    calm = plane.submit({"steps": 120})
    plane.finish(calm.id)
    begun = plane.submit({"steps": 120, "step_s": 0.01}, policy={"max_restarts": 5})
    for kill in range(kills):
        plane.reach(begun.id, 15 + 25 * kill)
        os.kill(worker_pid(plane, begun.id), signal.SIGKILL)
        attempt = kill + 1
        plane.until(lambda attempt=attempt: plane.platform.operation(begun.id).attempt > attempt)
    done = plane.finish(begun.id)
    assert (done.state, done.attempt) == (State.COMPLETED, kills + 1)
    assert losses(plane, begun.id) == losses(plane, calm.id)
    shown = plane.platform.metrics(begun.id, keys=("val_loss",), all_attempts=True)
    assert shown.attempts is not None
    assert max(shown.attempts) == kills + 1


def test_a_worker_that_keeps_dying_fails_after_max_restarts(plane: Plane) -> None:
    begun = plane.submit({"steps": 1000, "step_s": 0.01, "checkpoint_every": 0}, policy={"max_restarts": 1})
    for attempt in (1, 2):
        plane.until(lambda attempt=attempt: plane.platform.operation(begun.id).attempt == attempt)
        os.kill(worker_pid(plane, begun.id), signal.SIGKILL)
    done = plane.finish(begun.id)
    assert done.state is State.FAILED
    assert done.error is not None
    assert done.error.code == "worker_lost"
    assert "SIGKILL" in done.error.message


@pytest.mark.slow  # two seconds of training with pauses
def test_a_checkpoint_resets_the_count_of_restarts(plane: Plane) -> None:
    begun = plane.submit({"steps": 90, "step_s": 0.01, "checkpoint_every": 5}, policy={"max_restarts": 1})
    for attempt in (1, 2, 3):
        plane.reach(begun.id, 20 * attempt)
        os.kill(worker_pid(plane, begun.id), signal.SIGKILL)
        plane.until(lambda attempt=attempt: plane.platform.operation(begun.id).attempt > attempt)
    assert plane.finish(begun.id).state is State.COMPLETED


def test_a_crash_fails_with_its_traceback_and_can_be_resumed(plane: Plane) -> None:
    begun = plane.submit({"steps": 50, "crash_at": 25})
    done = plane.finish(begun.id)
    assert done.state is State.FAILED
    assert done.attention
    assert done.error is not None
    assert "asked to crash at step 25" in done.error.message
    assert any("_misbehave" in line for line in done.error.traceback_tail)
    plane.command(begun.id, "resume")
    assert plane.finish(begun.id).attempt == 2


def test_pause_frees_the_machine_and_resume_reproduces_the_undisturbed_run(plane: Plane) -> None:
    calm = plane.submit({"steps": 80})
    plane.finish(calm.id)
    begun = plane.submit({"steps": 80, "step_s": 0.005})
    plane.reach(begun.id, 20)
    plane.command(begun.id, "pause", "lunch")
    plane.until(lambda: plane.state(begun.id) is State.PAUSED)
    assert plane.parts.supervision.num_live == 0
    plane.command(begun.id, "resume", "back")
    assert plane.finish(begun.id).state is State.COMPLETED
    assert losses(plane, begun.id) == losses(plane, calm.id)


def test_stop_finishes_early_and_well(plane: Plane) -> None:
    begun = plane.submit(SLOW)
    plane.reach(begun.id, 10)
    plane.command(begun.id, "stop", "good enough")
    done = plane.finish(begun.id)
    assert (done.state, done.stopped_early, done.error) == (State.COMPLETED, True, None)
    decision = plane.platform.decisions(begun.id)[0]
    assert (decision.verb, decision.status, decision.reason) == (Verb.STOP, "applied", "good enough")
    assert decision.at_step == done.result["steps"]


def test_a_paused_run_can_be_stopped(plane: Plane) -> None:
    begun = plane.submit(SLOW)
    plane.reach(begun.id, 5)
    plane.command(begun.id, "pause")
    plane.until(lambda: plane.state(begun.id) is State.PAUSED)
    plane.command(begun.id, "stop")
    done = plane.finish(begun.id)
    assert (done.state, done.stopped_early) == (State.COMPLETED, True)


def test_cancel_keeps_a_checkpoint_and_is_no_failure(plane: Plane) -> None:
    begun = plane.submit(SLOW)
    plane.reach(begun.id, 5)
    plane.command(begun.id, "cancel", "wrong data")
    done = plane.finish(begun.id)
    assert (done.state, done.error, done.attention) == (State.CANCELLED, None, False)
    assert plane.platform.checkpoints(begun.id)


def test_a_hung_worker_is_killed_after_the_grace(plane: Plane) -> None:
    begun = plane.submit({"hang_at": 5})
    plane.reach(begun.id, 5)
    plane.command(begun.id, "cancel")
    assert plane.finish(begun.id).state is State.CANCELLED
    decision = plane.platform.decisions(begun.id)[0]
    assert decision.status == "applied"
    assert "without confirming" in decision.detail


def test_a_pending_operation_waits_for_its_slot_and_can_be_cancelled(plane: Plane) -> None:
    first = plane.submit(SLOW, resources={"cpus": 4})
    second = plane.submit({}, resources={"cpus": 1})
    plane.until(lambda: plane.platform.operation(second.id).waiting_for)
    assert plane.platform.operation(second.id).waiting_for.kind == "slot"
    plane.command(second.id, "cancel")
    assert plane.state(second.id) is State.CANCELLED
    plane.command(first.id, "cancel")
    plane.finish(first.id)


def test_tune_takes_effect_and_stands_in_the_ledger_with_its_step(plane: Plane) -> None:
    begun = plane.submit(SLOW)
    plane.reach(begun.id, 5)
    plane.until(lambda: (judged := plane.platform.operation(begun.id).assessment) and judged.evidence)
    plane.command(begun.id, "tune", "too slow", lr=0.2, steps=60)
    done = plane.finish(begun.id)
    assert done.result["lr"] == 0.2
    assert done.result["steps"] >= 60
    decision = plane.platform.decisions(begun.id)[0]
    assert decision.status == "applied"
    assert decision.at_step >= 5
    assert decision.principal == ME
    assert decision.evidence


def test_a_tune_before_the_start_is_heard_at_the_start(plane: Plane) -> None:
    blocker = plane.submit(SLOW, resources={"cpus": 4})
    begun = plane.submit({"steps": 1000})
    plane.command(begun.id, "tune", steps=7)
    plane.until(lambda: plane.state(blocker.id) is State.RUNNING)
    plane.command(blocker.id, "cancel")
    assert plane.finish(begun.id).result["steps"] == 7


@pytest.mark.slow  # two seconds of training with pauses
def test_a_tune_after_the_checkpoint_survives_a_kill(plane: Plane) -> None:
    begun = plane.submit({"steps": 100_000, "step_s": 0.005, "checkpoint_every": 1000})
    plane.reach(begun.id, 5)
    plane.command(begun.id, "tune", steps=400)
    plane.until(lambda: plane.platform.decisions(begun.id)[0].status == "applied")
    os.kill(worker_pid(plane, begun.id), signal.SIGKILL)
    assert plane.finish(begun.id).result["steps"] == 400


@pytest.mark.parametrize(
    ("args", "error"),
    [({"lrr": 1}, UnknownName), ({"lr": -1}, InvalidSpec), ({"steps": 1.5}, InvalidSpec), ({"lr": "x"}, InvalidSpec)],
)
def test_a_wrong_tune_is_refused_and_leaves_no_decision(plane: Plane, args: dict, error: type[Exception]) -> None:
    begun = plane.submit({})
    with pytest.raises(error):
        plane.command(begun.id, "tune", **args)
    assert plane.platform.decisions(begun.id) == []


def test_a_branch_goes_on_from_a_checkpoint_with_other_settings(plane: Plane) -> None:
    begun = plane.submit({"steps": 60}, name="base")
    plane.finish(begun.id)
    kept = [item.step for item in plane.platform.checkpoints(begun.id)]
    child_id = plane.command(begun.id, "branch", **{"from": str(kept[0]), "set": {"lr": 0.2, "steps": 70}}).created
    assert child_id is not None
    child = plane.finish(child_id)
    assert child.result["lr"] == 0.2
    assert (child.links[0].id, child.links[0].at) == (begun.id, kept[0])
    assert min(losses(plane, child_id)) == kept[0] + 1
    lineage = plane.platform.lineage(child_id)
    assert {node.id for node in lineage.nodes} == {begun.id, child_id}


def test_a_branch_with_unchanged_settings_reproduces_the_run(plane: Plane) -> None:
    begun = plane.submit({"steps": 60})
    plane.finish(begun.id)
    child_id = plane.command(begun.id, "branch", **{"from": "50"}).created
    plane.finish(child_id)
    assert losses(plane, child_id) == {step: loss for step, loss in losses(plane, begun.id).items() if step > 50}


@pytest.mark.parametrize("args", [{"from": "7"}, {"from": "worst"}, {"set": {"lrr": 1}}, {"set": {"lr": -1}}])
def test_a_wrong_branch_is_refused(plane: Plane, args: dict) -> None:
    begun = plane.submit({"steps": 20})
    plane.finish(begun.id)
    with pytest.raises(InvalidSpec):
        plane.command(begun.id, "branch", **args)


@pytest.mark.parametrize(("answer", "steps"), [("approve", 30), ("reject", 10)])
def test_an_approval_blocks_and_a_refusal_means_stop(plane: Plane, answer: str, steps: int) -> None:
    begun = plane.submit({"steps": 30, "ask_at": 10})
    plane.until(lambda: plane.state(begun.id) is State.PAUSED)
    asking = plane.platform.operation(begun.id)
    assert asking.waiting_for.kind == "approval"
    assert asking.attention
    plane.command(begun.id, answer, "so be it")
    done = plane.finish(begun.id)
    assert (done.state, done.result["steps"], done.stopped_early) == (State.COMPLETED, steps, answer == "reject")
    assert plane.platform.decisions(begun.id)[0].status == "applied"


def test_no_answer_in_time_counts_as_no(plane: Plane) -> None:
    begun = plane.submit({"steps": 30, "ask_at": 10})
    plane.until(lambda: plane.state(begun.id) is State.PAUSED)
    waiting = plane.platform.operation(begun.id).waiting_for
    with plane.parts.base.store.writing() as tx:
        tx.change_operation(begun.id, waiting_for={"kind": "approval", "until_s": 1.0, "detail": waiting.detail})
    done = plane.finish(begun.id)
    assert (done.result["steps"], done.stopped_early) == (10, True)
    decision = plane.platform.decisions(begun.id)[0]
    assert (decision.verb, decision.principal.name) == (Verb.REJECT, "supervisor")


def test_memory_over_the_limit_ends_the_run_with_a_clear_error(plane: Plane) -> None:
    begun = plane.submit({"grow_at": 5, "steps": 100_000}, resources={"memory_gib": 0.25})
    done = plane.finish(begun.id)
    assert done.state is State.FAILED
    assert done.error is not None
    assert done.error.code == "memory_limit"
    assert "0.25 GiB" in done.error.message


def test_wall_time_stops_the_run_well(plane: Plane) -> None:
    begun = plane.submit(SLOW, resources={"max_wall_s": 1})
    done = plane.finish(begun.id)
    assert (done.state, done.stopped_early) == (State.COMPLETED, True)
    assert "max_wall_s" in plane.platform.decisions(begun.id)[0].reason


def test_a_new_control_plane_adopts_live_workers(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with plane_at(home) as plane:
        begun = plane.submit({"steps": 300, "step_s": 0.005})
        plane.reach(begun.id, 10)
        pid = worker_pid(plane, begun.id)
        plane.parts.close()
        with plane_at(home) as again:
            assert again.parts.supervision.num_live == 1
            assert worker_pid(again, begun.id) == pid
            done = again.finish(begun.id)
            assert (done.state, done.attempt) == (State.COMPLETED, 1)
            assert len(losses(again, begun.id)) == 300


def no_room(*_: object) -> None:
    raise DiskFull("no room", hint="make some")


def test_a_command_that_could_not_be_delivered_is_delivered_later(
    plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = plane.submit(SLOW)
    plane.reach(begun.id, 5)
    with monkeypatch.context() as patch:
        patch.setattr(commands, "append_command", no_room)
        assert plane.command(begun.id, "stop").status == "accepted"
    done = plane.finish(begun.id)
    assert (done.state, done.stopped_early) == (State.COMPLETED, True)


def test_a_command_that_a_dead_supervisor_never_delivered_is_delivered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    with plane_at(home) as plane:
        begun = plane.submit(SLOW)
        plane.reach(begun.id, 5)
        monkeypatch.setattr(commands, "append_command", no_room)
        plane.command(begun.id, "stop")
        plane.parts.close()
        monkeypatch.undo()
        with plane_at(home) as again:
            done = again.finish(begun.id)
            assert (done.state, done.attempt, done.stopped_early) == (State.COMPLETED, 1, True)


@pytest.mark.slow  # two seconds of training with pauses
def test_a_fault_in_one_operation_does_not_stop_the_others(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned, healthy = plane.submit(SLOW), plane.submit({"steps": 300, "step_s": 0.005})
    plane.reach(poisoned.id, 5)
    real = supervision.ingest

    def poisonous(*args: Any, operation: str, **named: Any) -> int:
        if operation == poisoned.id:
            raise ZeroDivisionError("a bug of ours")
        return real(*args, operation=operation, **named)

    monkeypatch.setattr(supervision, "ingest", poisonous)
    assert plane.finish(healthy.id).state is State.COMPLETED
    given_up = plane.finish(poisoned.id)
    assert given_up.state is State.FAILED
    assert given_up.error is not None
    assert "a bug of ours" in given_up.error.message


@pytest.mark.slow  # two seconds of training with pauses
def test_a_worker_that_died_unwatched_is_resumed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with plane_at(home) as plane:
        begun = plane.submit({"steps": 200, "step_s": 0.005})
        plane.reach(begun.id, 20)
        pid = worker_pid(plane, begun.id)
    with plane_at(home) as again:
        assert not Path(f"/proc/{pid}/task").exists() or again.parts.supervision.num_live == 1
        done = again.finish(begun.id)
        assert (done.state, done.attempt) == (State.COMPLETED, 2)
        assert len(losses(again, begun.id)) == 200


def test_a_second_worker_is_kept_out_by_the_fence(plane: Plane) -> None:
    begun = plane.submit(SLOW)
    plane.reach(begun.id, 5)
    record = plane.platform.operation(begun.id)
    intruder = plane.parts.base.executor.start(begun.id, 9, resources=record.resources)
    plane.until(lambda: plane.parts.base.executor.exit_code(intruder) == 75)
    assert plane.state(begun.id) is State.RUNNING
    plane.command(begun.id, "cancel")
    plane.finish(begun.id)


def test_one_idempotency_key_makes_one_operation(plane: Plane) -> None:
    document = {"service": "fake", "config": {"steps": 3}}
    made = {plane.platform.submit(document, principal=ME, idempotency_key="k").id for _ in range(5)}
    assert len(made) == 1
    with pytest.raises(IdempotencyConflict):
        plane.platform.submit({**document, "seed": 1}, principal=ME, idempotency_key="k")
    other = plane.platform.submit(document, principal=wire.Principal(name="other"), idempotency_key="k")
    assert other.id not in made


def test_one_key_makes_one_decision(plane: Plane) -> None:
    begun = plane.submit(SLOW)
    plane.reach(begun.id, 3)
    request = wire.CommandRequest(verb=Verb.CHECKPOINT, reason="x")
    made = {plane.platform.command(begun.id, request, principal=ME, idempotency_key="k").id for _ in range(3)}
    assert len(made) == 1
    plane.command(begun.id, "cancel")
    plane.finish(begun.id)


def test_a_non_finite_loss_is_the_verdict_at_once(plane: Plane) -> None:
    begun = plane.submit({"lr": 1e6, "steps": 100})
    done = plane.finish(begun.id)
    assert done.assessment is not None
    assert done.assessment.verdict == "non_finite"
    verdicts = [e.data["verdict"] for e in plane.platform.events(begun.id, limit=9999).items if e.kind == "verdict"]
    assert verdicts[-1] == "non_finite"


def test_only_ended_operations_are_removed_and_their_ledger_stays(plane: Plane) -> None:
    begun = plane.submit(SLOW)
    plane.reach(begun.id, 3)
    with pytest.raises(IllegalCommand, match="only an ended one"):
        plane.platform.delete(begun.id)
    plane.command(begun.id, "cancel", "enough")
    plane.finish(begun.id)
    plane.platform.delete(begun.id)
    with pytest.raises(NotFound):
        plane.platform.operation(begun.id)
    assert not plane.parts.base.files.operation(begun.id).root.exists()
    assert [decision.reason for decision in plane.platform.decisions(begun.id)] == ["enough"]


def test_gc_says_first_and_removes_then(plane: Plane) -> None:
    old = plane.submit({"steps": 20})
    plane.finish(old.id)
    orphan = plane.parts.base.files.operations / old.id.replace("op_0", "op_1")
    orphan.mkdir()
    (orphan / "spec.json").write_text("{}")
    planned = plane.platform.gc(older_than_s=0, dry_run=True)
    assert planned.operations == [old.id]
    assert plane.platform.operation(old.id)
    done = plane.platform.gc(older_than_s=0)
    assert (done.operations, done.bytes) == (planned.operations, planned.bytes)
    assert not orphan.exists()
    assert plane.platform.operations().items == []


@pytest.mark.slow  # two seconds of training with pauses
def test_a_wrong_line_in_an_event_file_is_named_and_the_rest_goes_on(plane: Plane) -> None:
    begun = plane.submit({"steps": 200, "step_s": 0.01})
    plane.reach(begun.id, 5)
    with plane.parts.base.files.operation(begun.id).event_file(1).open("ab") as file:
        file.write(b'{"k":"metric","t":1,"i":3,"d":{"values":{"x":"seven"}}}\nnonsense\n')
    done = plane.finish(begun.id)
    assert done.state is State.COMPLETED
    refused = [
        event
        for event in plane.platform.events(begun.id, limit=10_000).items
        if event.kind == "log" and "refused" in str(event.data["text"])
    ]
    assert len(refused) == 2
    assert len(losses(plane, begun.id)) == 200


def test_the_list_puts_first_what_needs_somebody(plane: Plane) -> None:
    failed = plane.submit({"crash_at": 1})
    plane.finish(failed.id)
    fine = plane.submit({"steps": 3})
    plane.finish(fine.id)
    page = plane.platform.operations()
    assert [item.id for item in page.items] == [failed.id, fine.id]
    assert page.counts == {"failed": 1, "completed": 1}
    assert [item.id for item in plane.platform.operations(state="completed").items] == [fine.id]
    first = plane.platform.operations(limit=1)
    assert [item.id for item in plane.platform.operations(limit=1, cursor=first.next_cursor).items] == [fine.id]


def test_compare_says_what_differs_and_claims_no_more(plane: Plane) -> None:
    ids = tuple(plane.submit({"steps": 20, "lr": lr}).id for lr in (0.01, 0.1))
    for operation_id in ids:
        plane.finish(operation_id)
    compared = plane.platform.compare(ids)
    assert set(compared.config_diff) == {"lr"}
    assert compared.significance.by == "noise"
    assert "noise of one run each; other seeds may differ more" in compared.sentence


def test_waiting_until_a_step_and_until_the_end(plane: Plane) -> None:
    begun = plane.submit({"steps": 50})
    assert plane.platform.wait(begun.id, until="step>=10", timeout_s=0).reached is False
    plane.finish(begun.id)
    assert plane.platform.wait(begun.id, until="step>=10", timeout_s=0).reached is True
    assert plane.platform.wait(begun.id, until="terminal", timeout_s=0).reached is True
    assert plane.platform.wait(begun.id, until="val_loss<1e9", timeout_s=0).reached is True
    with pytest.raises(InvalidSpec, match="cannot wait"):
        plane.platform.wait(begun.id, until="lunch", timeout_s=0)
