"""Training: the loss and its sums, evaluation, and a resume that changes nothing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from cognate_support import FORMS, small_model, small_tokenizer, texts

from tutelage.core.commands import Command, Verb
from tutelage.core.errors import InvalidSpec
from tutelage.core.layout import HomeFiles
from tutelage.run import FileRun
from tutelage.services.cognate import SERVICE
from tutelage.services.cognate.building import training_plan
from tutelage.services.cognate.config import CognateConfig
from tutelage.services.cognate.data.stream import IGNORED, Corpus, Stream
from tutelage.services.cognate.evaluation import HeldOut, evaluate
from tutelage.services.cognate.segment_step import run_segment
from tutelage.services.cognate.task import LanguageTask
from tutelage.training import fit

PLAN = {"max_steps": 6, "eval_steps": 3, "save_steps": 100, "warmup_steps": 2, "learning_rate": 3e-3, "dropout": 0.1}


def task_of(form: str) -> LanguageTask:
    tokenizer = small_tokenizer()
    model = small_model(varied=False, vocab_size=270, dropout=0.1, **FORMS[form])
    stream = Stream(Corpus.of(texts(), tokenizer, max_seq_len=64), lanes=3, segment_len=8, seed=5)
    held_out = HeldOut.of(texts(3), tokenizer, segment_len=8, max_seq_len=64, at_most=200)
    return LanguageTask(model, stream, held_out, tokenizer, act_tau=0.01, prompt="the cat")


def plan_of(form: str) -> Any:
    off = {} if "act" in FORMS[form] else {"act_enabled": False}
    return training_plan(CognateConfig(gradient_accumulation_steps=2, **PLAN, **off))


def run_in(folder: Path, attempt: int = 1) -> FileRun:
    files = HomeFiles(folder).operation("op_test")
    files.root.mkdir(parents=True, exist_ok=True)
    files.commands.write_text("")
    run = FileRun(files=files, service=SERVICE, attempt=attempt, seed=7)
    run.begin()
    return run


@pytest.mark.parametrize("form", FORMS)
def test_paused_after_any_step_and_resumed_it_is_the_undisturbed_training(form: str, tmp_path: Path) -> None:
    """Weights, memory bank and evaluation, bit for bit; with dropout, accumulation and GrokFast."""
    calm = task_of(form)
    undisturbed = fit(calm, plan_of(form), run_in(tmp_path / "calm"))
    run = run_in(tmp_path / "paused")
    assert fit(_PausesAfter(task_of(form), steps=2, run=run), plan_of(form), run).is_left
    second = task_of(form)
    resumed = fit(second, plan_of(form), run_in(tmp_path / "paused", attempt=2))
    assert resumed.latest == undisturbed.latest
    for name, weight in calm.model.state_dict().items():
        assert torch.equal(weight, second.model.state_dict()[name]), name
    assert (calm.bank is None) == (second.bank is None)
    if calm.bank is not None and second.bank is not None:
        assert all(torch.equal(part, second.bank.tensors()[name]) for name, part in calm.bank.tensors().items())


class _PausesAfter:
    """The task, with a pause that arrives while a step is computed."""

    def __init__(self, task: LanguageTask, *, steps: int, run: FileRun) -> None:
        self._task, self._left, self._run = task, steps * 2, run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def state_dict(self) -> Any:
        return self._task.state_dict()

    def load_state_dict(self, state: Any) -> None:
        self._task.load_state_dict(state)

    def loss(self, batch: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            path = HomeFiles(self._run.dir.parents[1]).operation("op_test").commands
            path.write_text(json.dumps(Command(id="dec_1", verb=Verb.PAUSE).line()) + "\n")
        return self._task.loss(batch)


def test_the_loss_is_cross_entropy_plus_the_price_of_pondering() -> None:
    task = task_of("act")
    task.model.eval()
    segment = task.batch(0)
    output = task.model(segment.tokens, docs=segment.docs)
    logits = task.model.logits(output.hidden)
    entropy = F.cross_entropy(logits.flatten(0, 1), segment.labels.flatten(), ignore_index=IGNORED, reduction="sum")
    counted = segment.labels != IGNORED
    expected = entropy + 0.5 * output.ponder.cost[counted].sum()
    done = run_segment(task.model, segment, None, act_tau=0.5)
    assert done.total.item() == pytest.approx(expected.item(), rel=1e-5)
    assert done.num_labels == int(counted.sum())
    assert done.sums["ponder_steps"].item() == output.ponder.steps[counted].sum().item()


def test_bits_per_byte_are_the_bits_of_all_tokens_over_the_bytes_of_the_text() -> None:
    task = task_of("plain")
    held_out = HeldOut.of(texts(3), small_tokenizer(), segment_len=8, max_seq_len=64, at_most=10_000)
    figures = evaluate(task.model.eval(), held_out, act_tau=0.01)
    num_bytes = sum(len(sample.text.encode()) for sample in texts(3))
    num_labels = sum(held_out.stream.batch(position).num_labels for position in range(held_out.stream.segments))
    assert figures["val_bits_per_byte"] == pytest.approx(figures["val_ce"] * num_labels / math.log(2) / num_bytes)
    assert figures["val_ce"] == pytest.approx(math.log(270), rel=0.05), "an untrained model knows nothing"


def test_an_evaluation_takes_as_many_tokens_as_it_may() -> None:
    held_out = HeldOut.of(texts(12), small_tokenizer(), segment_len=8, max_seq_len=64, at_most=100)
    found = sum(held_out.stream.batch(position).num_labels for position in range(held_out.stream.segments))
    assert 90 <= found <= 115


def test_evaluating_leaves_the_memory_of_the_training_alone() -> None:
    task = task_of("memory")
    task.loss(task.batch(0))
    before = task.bank
    task.evaluate()
    assert task.bank is before


def test_the_memory_begins_anew_with_each_epoch() -> None:
    task = task_of("memory")
    task.loss(task.batch(0))
    task.loss(task.batch(1))
    assert task.bank.written.sum() > 0
    number = task.bank.written.clone()
    task.loss(task.batch(0))
    assert (task.bank.written <= 8).all()
    assert not torch.equal(task.bank.written, number)


def test_a_checkpoint_of_another_vocabulary_is_refused() -> None:
    task = task_of("memory")
    with pytest.raises(InvalidSpec, match="another vocabulary"):
        task.load_state_dict({**task.state_dict(), "tokenizer": "other"})
