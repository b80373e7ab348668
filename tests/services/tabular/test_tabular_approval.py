from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tabular_support import make_run

from tutelage.core.commands import Command, Verb
from tutelage.core.layout import OperationFiles
from tutelage.run import FileRun
from tutelage.services.tabular import SERVICE, approval
from tutelage.services.tabular.config import Approval

RESULT: dict[str, Any] = {
    "modelPath": "artifacts/model.joblib",
    "metadata": {"stoppedEarly": False},
    "artifacts": ["artifacts/model.joblib", "artifacts/model.onnx", "artifacts/model_card.md"],
}


def asked(home: Path, *, before: str = "release", deadline_s: float = 600) -> FileRun:
    """A run that has asked."""
    run = make_run(home)
    for name in ("model.joblib", "model.joblib.sig", "model.onnx", "model_card.md"):
        run.artifact(name).write_text(name)
    wanted = Approval(before=before, deadline_s=deadline_s)  # type: ignore[arg-type]
    save = lambda folder: (folder / "state.json").write_text("{}")  # noqa: E731
    approval.ask(run, wanted, text="go on?", step=3, save=save, metrics={"f1": 0.5}, result=RESULT)
    run.close()
    return run


def next_attempt(run: FileRun, *verbs: Verb) -> FileRun:
    files = OperationFiles(run.dir)
    lines = [Command(id=f"dec_{verb}", verb=verb, args={}, reason="because").line() for verb in verbs]
    files.commands.write_text("".join(json.dumps(line) + "\n" for line in lines))
    again = FileRun(files=files, service=SERVICE, attempt=run.attempt + 1)
    again.begin()
    return again


def names(run: FileRun) -> set[str]:
    return {path.name for path in run.artifact("x").parent.iterdir()}


def test_a_model_is_withheld_in_every_form_until_it_is_released(home: Path) -> None:
    run = asked(home)
    assert names(run) == {"model_card.md"}
    answer = approval.answer(next_attempt(run, Verb.APPROVE))
    assert answer is not None
    assert answer.result is not None
    assert answer.result["approval"] == {
        "before": "release",
        "approved": True,
        "reason": "because",
        "decision": "dec_approve",
    }
    assert names(run) == {"model.joblib", "model.joblib.sig", "model.onnx", "model_card.md"}
    assert not (run.dir / "withheld").exists()


def test_a_refusal_removes_the_model_in_every_form(home: Path) -> None:
    run = asked(home)
    answer = approval.answer(next_attempt(run, Verb.STOP))
    assert answer is not None
    assert answer.result is not None
    assert (answer.result["modelPath"], answer.result["approval"]["approved"]) == (None, False)
    assert answer.result["artifacts"] == ["artifacts/model_card.md"]
    assert answer.result["metadata"]["stoppedEarly"] is True
    assert names(run) == {"model_card.md"}
    assert not (run.dir / "withheld").exists()


@pytest.mark.parametrize(("first", "approved"), [(Verb.APPROVE, True), (Verb.STOP, False)])
def test_an_answer_that_was_heard_holds_for_every_later_attempt(home: Path, first: Verb, approved: bool) -> None:
    run = asked(home)
    heard = next_attempt(run, first)
    approval.answer(heard)
    heard.close()
    answer = approval.answer(next_attempt(heard))
    assert answer is not None
    assert answer.result is not None
    assert answer.result["approval"]["approved"] is approved


@pytest.mark.parametrize("verbs", [(), (Verb.TUNE,), (Verb.CHECKPOINT,)])
def test_without_an_answer_it_asks_again_in_the_time_that_is_left(home: Path, verbs: tuple[Verb, ...]) -> None:
    run = asked(home, deadline_s=600)
    again = next_attempt(run, *verbs)
    assert approval.answer(again) == approval.Answer(over=True)
    assert again.asked
    again.close()
    lines = OperationFiles(run.dir).event_file(2).read_text().splitlines()
    waiting = [event["d"]["waiting_for"] for event in map(json.loads, lines) if "waiting_for" in event["d"]]
    assert waiting[0]["detail"] == "go on?"


def test_a_yes_before_the_final_fit_goes_on_and_a_branch_asks_anew(home: Path) -> None:
    run = asked(home, before="final")
    answer = approval.answer(next_attempt(run, Verb.APPROVE))
    assert answer is not None
    assert (answer.over, answer.result) == (False, None)
    assert answer.record is not None
    assert answer.record["approved"] is True
    branch = make_run(home)
    shutil.copytree(run.dir / "checkpoints", branch.dir / "checkpoints")
    assert approval.answer(next_attempt(branch)) is None


def test_what_was_approved_is_what_is_released(home: Path) -> None:
    run = asked(home)
    (run.dir / "withheld" / "model.joblib").write_text("another model")
    assert approval.answer(next_attempt(run, Verb.APPROVE)) is None
    assert "model.joblib" not in names(run)


def test_a_run_that_never_asked_has_nothing_to_answer(home: Path) -> None:
    assert approval.answer(make_run(home)) is None
