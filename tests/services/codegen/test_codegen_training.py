"""Training: the loss, the batches, a resume that changes nothing, and a whole tiny operation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from codegen_model_support import toy_model, toy_pairs

from tutelage.core.commands import Command, Verb
from tutelage.core.errors import DamagedFile, InvalidSpec
from tutelage.core.layout import HomeFiles
from tutelage.run import FileRun
from tutelage.services.codegen import SERVICE
from tutelage.services.codegen.artifacts import load_saved_model, save_model_files
from tutelage.services.codegen.batches import FIRST_SHARE, POOL, Batch, Curriculum, Feed
from tutelage.services.codegen.building import training_plan
from tutelage.services.codegen.config import CodegenConfig, TrainingConfig
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.services.codegen.phases.manifest import check_manifest
from tutelage.services.codegen.prepare import prepare
from tutelage.services.codegen.task import CodeTask, smoothed_loss
from tutelage.services.codegen.train import train
from tutelage.training import fit

PAIRS = toy_pairs(60)
TRAINING = TrainingConfig(
    max_steps=6,
    eval_steps=3,
    save_steps=100,
    sample_steps=0,
    warmup_steps=2,
    learning_rate=3e-3,
    log_steps=1,
    precision="fp32",
    gradient_accumulation_steps=2,
)
TINY = {
    "preset": "tiny",
    "data": {"num_programs": 64, "num_held_out": 8},
    "model": {"d_model": 32, "num_encoder_layers": 1, "d_ffn": 64},
    "training": {"max_steps": 4, "eval_steps": 2, "sample_steps": 2, "eval_prompts": 4, "batch_size": 4},
}


def feed() -> Feed:
    return Feed(
        lambda place, share: PAIRS[(place * 7) % round(len(PAIRS) * share)],
        batch_size=4,
        seed=3,
        curriculum=Curriculum(num_batches=40),
    )


def task(model: Transformer | None = None, fingerprint: str = "toy") -> CodeTask:
    model = model or toy_model(dropout=0.1)
    return CodeTask(
        model,
        feed(),
        label_smoothing=0.1,
        fingerprint=fingerprint,
        held_out=lambda: {"val_loss": float(sum(p.double().abs().sum() for p in model.parameters()))},
        show=dict,
    )


def run_in(folder: Path, attempt: int = 1) -> FileRun:
    files = HomeFiles(folder).operation("op_test")
    files.root.mkdir(parents=True, exist_ok=True)
    files.commands.write_text("")
    run = FileRun(files=files, service=SERVICE, attempt=attempt, seed=7)
    run.begin()
    return run


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_the_loss_is_torchs(label_smoothing):
    logits, wanted = torch.randn(3, 5, 11), torch.randint(0, 11, (3, 5))
    total, entropy = smoothed_loss(logits, wanted, label_smoothing=label_smoothing)
    settings: dict[str, Any] = {"ignore_index": 0, "reduction": "sum"}
    torch.testing.assert_close(
        total,
        F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), label_smoothing=label_smoothing, **settings),
    )
    torch.testing.assert_close(entropy, F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), **settings))


def test_a_batch_has_its_targets_between_start_and_end():
    batch = Batch.of([([5, 6], [7]), ([8], [9, 10])])
    assert batch.source.tolist() == [[5, 6], [8, 0]]
    assert batch.target.tolist() == [[2, 7, 3, 0], [2, 9, 10, 3]]
    assert batch.num_targets == 5


def test_batches_are_a_pure_function_of_their_position():
    forwards, backwards = feed(), feed()
    positions = [0, 5, POOL, 3 * POOL + 1]
    wanted = {position: forwards.at(position).source for position in positions}
    for position in reversed(positions):
        assert torch.equal(backwards.at(position).source, wanted[position])


def test_a_pool_holds_every_example_it_drew_once():
    drawn: list[int] = []
    counting = Feed(
        lambda place, share: drawn.append(place) or ([4], [place + 4]),
        batch_size=3,
        seed=0,
        curriculum=Curriculum(num_batches=0),
    )
    seen = [token for position in range(2 * POOL) for token in counting.at(position).target[:, 1].tolist()]
    assert sorted(seen) == [place + 4 for place in range(2 * POOL * 3)]


def test_the_curriculum_begins_with_the_shortest_and_ends_with_all():
    curriculum = Curriculum(num_batches=100)
    assert [curriculum.share(position) for position in (0, 100, 1000)] == [FIRST_SHARE, 1.0, 1.0]
    assert curriculum.share(50) == pytest.approx(0.6)
    assert Curriculum(num_batches=0).share(0) == 1.0


def test_paused_after_any_step_and_resumed_it_is_the_undisturbed_training(tmp_path, monkeypatch):
    """Weights and evaluation, bit for bit; with dropout, accumulation and a curriculum."""
    monkeypatch.setattr("tutelage.run.inbox.LOOK_EVERY_S", 0.0)  # these steps are shorter than the pause between looks
    calm = task()
    undisturbed = fit(calm, training_plan(TRAINING), run_in(tmp_path / "calm"))
    for steps in (1, 4):
        folder = tmp_path / f"paused{steps}"
        run = run_in(folder)
        assert fit(_PausesAfter(task(), steps=steps, run=run), training_plan(TRAINING), run).is_left
        second = task(toy_model(seed=9, dropout=0.1))
        resumed = fit(second, training_plan(TRAINING), run_in(folder, attempt=2))
        assert resumed.latest == undisturbed.latest
        for name, weight in calm.model.state_dict().items():
            assert torch.equal(weight, second.model.state_dict()[name]), name


class _PausesAfter:
    """The task, with a pause that arrives while a step is computed."""

    def __init__(self, task: CodeTask, *, steps: int, run: FileRun) -> None:
        self._task, self._left, self._run = task, steps * TRAINING.gradient_accumulation_steps, run

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


def test_a_checkpoint_of_another_vocabulary_is_refused():
    with pytest.raises(InvalidSpec, match="another vocabulary"):
        task(fingerprint="one").load_state_dict(task(fingerprint="other").state_dict())


def test_the_same_seed_prepares_the_same():
    config = CodegenConfig.model_validate(TINY)
    one, other = prepare(config, seed=5), prepare(config, seed=5)
    assert one.vocabulary.fingerprint == other.vocabulary.fingerprint
    assert [one.example(place, 0.5) for place in range(20)] == [other.example(place, 0.5) for place in range(20)]


def test_a_slot_has_one_row_in_both_languages():
    vocabulary = prepare(CodegenConfig.model_validate(TINY), seed=5).vocabulary
    slots = set(vocabulary.target("<v0><v1><n0>"))
    assert slots <= set(vocabulary.source("the sum of <v0> and <v1> times <n0>"))
    assert all(token < vocabulary.target_size for token in slots)


def test_pairs_that_do_not_fit_the_model_are_refused():
    config = CodegenConfig.model_validate({**TINY, "model": {"max_target_tokens": 8}})
    with pytest.raises(InvalidSpec, match="max_target_tokens"):
        prepare(config, seed=5)


def test_a_saved_model_is_read_as_it_was(tmp_path):
    prepared = prepare(CodegenConfig.model_validate(TINY), seed=5)
    model = Transformer(prepared.model)
    save_model_files(tmp_path, model, prepared.vocabulary)
    saved = load_saved_model(tmp_path)
    assert saved.vocabulary.fingerprint == prepared.vocabulary.fingerprint
    assert all(torch.equal(value, saved.model.state_dict()[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("name", ["config.json", "code_tokenizer.json", "sentence_tokenizer.json", "model.safetensors"])
def test_a_damaged_file_of_a_model_is_named(tmp_path, name):
    prepared = prepare(CodegenConfig.model_validate(TINY), seed=5)
    save_model_files(tmp_path, Transformer(prepared.model), prepared.vocabulary)
    (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(DamagedFile):
        load_saved_model(tmp_path)


def test_an_operation_leaves_a_model_and_a_verified_manifest(tmp_path):
    run = run_in(tmp_path)
    result = train(CodegenConfig.model_validate(TINY), run)
    run.close()
    assert result is not None
    assert result["status"] == "verified"
    assert result["parameter_breakdown"]["total"] == result["parameters"]
    manifest = check_manifest(run.dir / "artifacts", "architect")
    assert {"exact_match", "ce", "attention_ms", "softmax_us", "generate_ms"} <= manifest.benchmarks.keys()
    assert 0 <= manifest.benchmarks["exact_match"] <= 1
