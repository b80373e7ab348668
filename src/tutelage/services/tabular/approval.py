"""Approvals: a step that waits for a yes. What would be released waits whole in the checkpoint; a no ends the run.

Asked before `final`, the search's best waits untrained; before `release`, the tested model waits withheld, and what was
approved is what is released: the file is known by its hash.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tutelage.core.clock import now_s
from tutelage.core.commands import Command, Verb
from tutelage.core.ports import Run, Save
from tutelage.services.tabular.config import Approval
from tutelage.services.tabular.report.release import discard, find, release, withhold

FILE = "approval.json"
FINAL, RELEASE = "final", "release"
ASKED, APPROVED, REFUSED = "asked", "approved", "refused"
LEAST_S = 0.001


@dataclass(frozen=True, kw_only=True)
class Question:
    """What was asked, until when, and the document that a refusal (or the release) ends with."""

    operation: str
    before: str
    text: str
    asked_at_s: float
    deadline_s: float
    result: dict[str, Any]
    metrics: dict[str, float]
    model_sha256: str | None = None
    status: str = ASKED
    reason: str = ""
    decision: str = ""

    @property
    def record(self) -> dict[str, Any]:
        """What the result document says of the answer; `decision` is its entry in the ledger."""
        answer = {"reason": self.reason, "decision": self.decision}
        return {"before": self.before, "approved": self.status == APPROVED, **answer}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How an attempt that begins at a question goes on: over, with a result or without, or with the yes in `record`."""

    over: bool
    result: Mapping[str, Any] | None = None
    record: dict[str, Any] | None = None


def ask(
    run: Run,
    approval: Approval,
    *,
    text: str,
    step: int,
    save: Save,
    metrics: Mapping[str, float],
    result: Mapping[str, Any],
) -> None:
    """Keep everything in a checkpoint and ask; the run must then end with None."""
    question = Question(
        operation=run.id,
        before=approval.before,
        text=text,
        asked_at_s=now_s(),
        deadline_s=approval.deadline_s,
        result=dict(result),
        metrics=dict(metrics),
        model_sha256=_sha256(withhold(run)) if approval.before == RELEASE else None,
    )
    _keep(run, question, step=step, save=save)
    run.log(f"waits for an approval: {text}")
    run.ask(text, timeout_s=approval.deadline_s)


def answer(run: Run) -> Answer | None:
    """Return how to go on after a question of this operation, or None where none is open.

    An attempt that finds no answer (somebody resumed it, or a process was killed) asks again, in the time that is left.
    """
    question = _pending(run)
    if question is None:
        return None
    while question.status == ASKED and (command := run.next_command()) is not None:
        heard = _hear(run, question, command)
        if isinstance(heard, Answer):
            return heard
        question = heard
    if question.status == ASKED:
        left_s = question.asked_at_s + question.deadline_s - now_s()
        run.ask(question.text, timeout_s=max(LEAST_S, left_s))
        return Answer(over=True)
    return _follow(run, question)


def _hear(run: Run, question: Question, command: Command) -> Question | Answer:
    step = _step(run)
    if command.verb in (Verb.APPROVE, Verb.STOP):
        status = APPROVED if command.verb is Verb.APPROVE else REFUSED
        answered = replace(question, status=status, reason=command.reason, decision=command.id)
        _keep(run, answered, step=step, save=_copy_of(run.resume()))
        run.applied(command, step=step, detail=f"{question.before} {status}")
        return answered
    if command.verb in (Verb.PAUSE, Verb.CANCEL):
        run.applied(command, step=step)
        return Answer(over=True)
    if command.verb is Verb.CHECKPOINT:
        run.applied(command, step=step, detail="everything was already kept")
    else:
        run.refused(command, reason=f"the search has ended, and {question.before} waits for an approval")
    return question


def _follow(run: Run, question: Question) -> Answer | None:
    """Do what the answer says."""
    if question.status == REFUSED:
        run.log(f"not approved: {question.reason or 'no reason given'}", level="warning")
        return Answer(over=True, result=refused_result(run, question.result, question.record))
    if question.before == FINAL:
        return Answer(over=False, record=question.record)
    if not any(_sha256(path) == question.model_sha256 for path in find(run)):
        run.log("the approved model's file is gone or was changed: it is trained and asked for again", level="warning")
        return None
    release(run)
    return Answer(over=True, result={**question.result, "approval": question.record})


def refused_result(run: Run, result: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a run whose step was refused: what was measured, and no model."""
    discard(run)
    files = [name for name in result["artifacts"] if not name.startswith("artifacts/model.")]
    metadata = {**result["metadata"], "stoppedEarly": True}
    return {**result, "modelPath": None, "metadata": metadata, "artifacts": files, "approval": dict(record)}


def _pending(run: Run) -> Question | None:
    """Return the question of this operation in the checkpoint; a branch asks its own."""
    folder = run.resume()
    try:
        stored = json.loads((folder / FILE).read_text()) if folder else None
    except FileNotFoundError:
        return None
    question = Question(**stored) if stored else None
    return question if question and question.operation == run.id else None


def _keep(run: Run, question: Question, *, step: int, save: Save) -> None:
    def save_with_question(folder: Path) -> None:
        save(folder)
        (folder / FILE).write_text(json.dumps(asdict(question), allow_nan=False))

    run.checkpoint(step, save_with_question, question.metrics)


def _copy_of(checkpoint: Path | None) -> Save:
    """Return what writes the files of a checkpoint anew."""
    assert checkpoint is not None, "a question is kept in a checkpoint"

    def save(folder: Path) -> None:
        for path in checkpoint.iterdir():
            if path.name not in ("manifest.json", FILE):
                shutil.copyfile(path, folder / path.name)

    return save


def _step(run: Run) -> int:
    folder = run.resume()
    assert folder is not None, "a question is kept in a checkpoint"
    return int(folder.name)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
