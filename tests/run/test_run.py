"""The Run: it tells, it hears, and it never fails the training."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from tutelage.core.commands import Command, Verb
from tutelage.core.errors import InvalidSpec
from tutelage.core.events import Draft, EventKind, decode_line
from tutelage.core.layout import OperationFiles
from tutelage.run import FileRun, Journal
from tutelage.run.inbox import Inbox
from tutelage.testing.fake import SERVICE


def lines(path: Path) -> list[Draft]:
    return [decode_line(line, attempt=1, offset=0) for line in path.read_bytes().splitlines(keepends=True)]


@pytest.fixture
def files(tmp_path: Path) -> OperationFiles:
    return OperationFiles(tmp_path / "op_x")


@pytest.fixture
def run(files: OperationFiles):
    made = FileRun(files=files, service=SERVICE, attempt=1)
    yield made
    made.close()


def test_events_reach_the_file_in_order(run: FileRun, files: OperationFiles) -> None:
    run.begin()
    run.metric(1, val_loss=float("nan"), train_loss=2)
    run.scope("trial=1").scope("fold=2").metric(7, {"a b": 1.5})
    run.progress(1, 10, message="training")
    run.flush()
    found = lines(files.event_file(1))
    assert [item.kind for item in found] == ["attempt_started", "metric", "metric", "progress"]
    assert found[1].data == {"values": {"val_loss": "nan", "train_loss": 2}}
    assert (found[2].scope, found[2].step) == ("trial=1/fold=2", 7)


def test_a_log_line_is_an_event_and_a_line_of_the_log(run: FileRun, files: OperationFiles) -> None:
    run.log("two\nlines", level="warning")
    run.flush()
    assert lines(files.event_file(1))[0].data == {"level": "warning", "text": "two lines"}
    assert files.log.read_text().endswith("warning two lines\n")


def test_an_objective_needs_a_direction(run: FileRun) -> None:
    with pytest.raises(InvalidSpec, match="direction"):
        run.define("my_score", objective=True)
    run.define("my_score", objective=True, direction="maximize")


def test_judged_scopes_are_told_with_their_last_step(run: FileRun, files: OperationFiles) -> None:
    run.judge("final", until=99)
    run.judge("trial=1")
    run.flush()
    told = [event.data for event in lines(files.event_file(1)) if "judge" in event.data]
    assert told == [{"judge": ["final"], "until": 99}, {"judge": ["trial=1"]}]


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x"])
def test_an_artifact_stays_in_its_folder(run: FileRun, name: str) -> None:
    with pytest.raises(InvalidSpec, match="leaves"):
        run.artifact(name)


def test_commands_are_given_out_once_and_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "commands.ndjson"
    inbox = Inbox(path)
    assert inbox.next() is None
    line = json.dumps(Command(id="dec_1", verb=Verb.STOP).line()).encode()
    path.write_bytes(line[:10])
    inbox._next_look = 0
    assert inbox.next() is None
    path.write_bytes(line + b"\n")
    inbox._next_look = 0
    found = inbox.next()
    assert found is not None
    assert found.verb is Verb.STOP
    inbox._next_look = 0
    assert inbox.next() is None


def test_a_full_disk_keeps_events_until_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "e.ndjson", flush_s=3600)
    real, room = os.write, 30

    def small(fd: int, block: bytes) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(fd, block[:room])
        room -= written
        return written

    monkeypatch.setattr(os, "write", small)
    for step in range(10):
        journal.append(Draft(kind=EventKind.METRIC, at_s=1.0, step=step, data={"values": {"loss": step}}))
    assert journal.flush() is False
    journal.append(Draft(kind=EventKind.METRIC, at_s=1.0, step=10, data={"values": {"loss": 10}}))
    room = 10**9
    assert journal.flush() is True
    monkeypatch.setattr(os, "write", real)
    journal.close()
    assert [item.step for item in lines(tmp_path / "e.ndjson")] == list(range(11))


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_training(
    run: FileRun, files: OperationFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    assert run.checkpoint(1, lambda folder: (folder / "a").write_text("a")) is None
    run.flush()
    found = lines(files.event_file(1))
    assert [item.kind for item in found] == ["log"]
    assert "could not be written" in found[0].data["text"]
