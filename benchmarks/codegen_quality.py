"""Does `codegen` write code that compiles and computes? On compositions that it never saw, beside the nearest example.

`CODEGEN_MODEL` names a folder of a finished operation's artifacts; without it, `small` is trained first for
`CODEGEN_MINUTES` (40) on two cores, `--quick` for one minute. What retrieval is worth is measured on two models that
differ in nothing else, each trained for `CODEGEN_ARM_MINUTES` (5; `--quick`: none): one reads the sentence alone, one
its nearest known example too.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch

from benchmarks.report import Figure, Report
from benchmarks.support.fitting import open_run
from tutelage.services.codegen.artifacts import load_saved_model
from tutelage.services.codegen.batches import Curriculum, Feed
from tutelage.services.codegen.config import CodegenConfig, DecodingConfig
from tutelage.services.codegen.engines.torch_engine import TorchEngine
from tutelage.services.codegen.evaluation.hand_written import evaluate_written, hand_written
from tutelage.services.codegen.evaluation.judge import Judge
from tutelage.services.codegen.evaluation.prompts import AskedPrompt, held_out_prompts
from tutelage.services.codegen.evaluation.scoring import Evaluation, evaluate
from tutelage.services.codegen.evaluation.texts import CopiedRuns
from tutelage.services.codegen.generation import Generator
from tutelage.services.codegen.known import KNOWN, load_known
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.services.codegen.oracle import Executor, NagaOracle, TintOracle
from tutelage.services.codegen.prepare import Prepared, prepare
from tutelage.services.codegen.retrieval.baselines import nearest_filled, nearest_verbatim
from tutelage.services.codegen.retrieval.index import RetrievalIndex
from tutelage.services.codegen.task import batch_loss
from tutelage.services.codegen.train import train
from tutelage.training import Clip, Plan, Updater

BARS = {
    "compile_at_1": 0.93,
    "compile_at_1_constrained": 0.99,
    "exec_at_1": 0.60,
    "exec_minus_baseline": 0.50,
    "heldout_vs_iid": 0.85,
}
"""Figure -> the least it should be: `small`, trained 40 minutes on two cores."""

CORES = 2
CALIBRATION_BATCHES = 12
FREE, CONSTRAINED = DecodingConfig(constrain=False), DecodingConfig(constrain=True)
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is trained and asked."""

    config: CodegenConfig
    minutes: float
    arm_minutes: float
    """For each of the arms with and without retrieval; 0: they are left out."""
    num_prompts: int
    num_drafted: int


def run(*, quick: bool) -> Report:
    """Train or open a model, ask, and judge by both compilers and by execution."""
    size = _size(quick=quick)
    with tempfile.TemporaryDirectory(prefix="tutelage-quality-") as name:
        given = os.environ.get("CODEGEN_MODEL")
        began = time.process_time()
        artifacts = Path(given) if given else trained(size.config, size.minutes, Path(name) / "small")
        trained_s = 0.0 if given else time.process_time() - began
        figures, peers = measured(artifacts, size)
        if size.arm_minutes:
            figures |= retrieval_arms(size, Path(name))
    bars = {} if quick else BARS
    return Report(
        name="codegen_quality",
        figures=[
            *(Figure(key=key, value=value, unit="", at_least=bars.get(key)) for key, value in figures.items()),
            Figure(key="train_cpu_s", value=trained_s, unit="s"),
        ],
        peers=peers,
    )


def _size(*, quick: bool) -> Size:
    preset = "tiny" if quick else "small"
    minutes = float(os.environ.get("CODEGEN_MINUTES", 1 if quick else 40))
    arm_minutes = float(os.environ.get("CODEGEN_ARM_MINUTES", 0 if quick else 5))
    config = CodegenConfig.model_validate(
        {
            "preset": preset,
            "data": {"num_held_out": 64 if quick else 256},
            "training": {"eval_prompts": 32 if quick else 64, "sample_steps": 0},
        }
    )
    return Size(
        config=config,
        minutes=minutes,
        arm_minutes=arm_minutes,
        num_prompts=60 if quick else 1000,
        num_drafted=10 if quick else 100,
    )


def retrieval_arms(size: Size, folder: Path) -> dict[str, float]:
    """Return the figures of two short trainings of equal CPU time, without a retrieved example and with one."""
    prompts = held_out_prompts(level=size.config.data.level, split="composition", num=size.num_prompts // 2)
    figures: dict[str, float] = {}
    for name, retrieve in (("alone", 0), ("retrieval", 1)):
        data = {**size.config.data.model_dump(), "retrieve": retrieve}
        config = CodegenConfig.model_validate({**size.config.model_dump(), "data": data})
        artifacts = trained(config, size.arm_minutes, folder / name)
        saved = load_saved_model(artifacts)
        generator = Generator(saved, TorchEngine(saved.model), artifacts, reads_examples=retrieve > 0)
        executor = Executor()
        try:
            judge = Judge([TintOracle(), NagaOracle()], executor)
            write = partial(generator.write_all, decoding=FREE, retrieve=retrieve)
            found = _asked(write, prompts, judge=judge)
        finally:
            executor.close()
        figures |= _rates(found, f"_arm_{name}")
    return figures


def trained(config: CodegenConfig, minutes: float, folder: Path) -> Path:
    """Train for the minutes given, on as many steps as fit, and return the artifacts."""
    torch.set_num_threads(CORES)
    prepared = prepare(config, seed=SEED)
    num_steps = max(100, round(minutes * 60 * CORES / seconds_per_step(config, prepared)))
    training = {**config.training.model_dump(), "max_steps": num_steps, "eval_steps": max(50, num_steps // 12)}
    config = CodegenConfig.model_validate({**config.model_dump(), "training": training})
    run_ = open_run(folder, seed=SEED)
    try:
        train(config, run_)
    finally:
        run_.close()
    return run_.dir / "artifacts"


def seconds_per_step(config: CodegenConfig, prepared: Prepared) -> float:
    """Return the CPU seconds of one training step, at full length, in the precision that training would choose."""
    model = Transformer(prepared.model)
    feed = Feed(
        prepared.example, batch_size=config.training.batch_size, seed=SEED, curriculum=Curriculum(num_batches=0)
    )
    precision = "fp32" if config.training.precision == "fp32" else "bf16"
    plan = Plan(max_steps=1, optimizer={"name": "adamw", "lr": 1e-5}, clip=Clip(norm=1.0), precision=precision)
    updater = Updater(model, plan)
    began = 0.0
    for position in range(CALIBRATION_BATCHES + 2):
        if position == 2:
            began = time.process_time()
        updater.update([partial(batch_loss, model, feed.at(position), label_smoothing=0.0)])
    return (time.process_time() - began) / CALIBRATION_BATCHES


def measured(artifacts: Path, size: Size) -> tuple[dict[str, float], dict[str, Mapping[str, float | str]]]:
    """Return the figures of a model, and the baselines' as peers."""
    saved = load_saved_model(artifacts)
    generator = Generator(saved, TorchEngine(saved.model), artifacts)
    known = load_known(artifacts / KNOWN)
    level = size.config.data.level
    held_out = held_out_prompts(level=level, split="composition", num=size.num_prompts)
    iid = held_out_prompts(level=level, split="iid", num=size.num_prompts // 2)
    executor = Executor()
    try:
        judge = Judge([TintOracle(), NagaOracle()], executor)
        copied = CopiedRuns(pair.code for pair in known)
        ask = partial(_asked, judge=judge)
        free = ask(partial(generator.write_all, decoding=FREE), held_out, training=copied)
        constrained = ask(partial(generator.write_all, decoding=CONSTRAINED), held_out)
        known_iid = ask(partial(generator.write_all, decoding=FREE), iid)
        index = RetrievalIndex(known)
        baselines = {
            "nearest_verbatim": ask(partial(nearest_verbatim, index), held_out, names="any"),
            "nearest_filled": ask(partial(nearest_filled, index), held_out, names="any"),
        }
        by_hand = evaluate_written(
            partial(generator.write_all, decoding=FREE),
            hand_written(),
            compiles=judge.compiles,
            execute=judge.execute,
        )
    finally:
        executor.close()
    best = max(each.scores.exec_at_1 for each in baselines.values())
    figures = {
        **_rates(free, ""),
        **_rates(constrained, "_constrained"),
        **_rates(known_iid, "_iid"),
        "bleu": free.bleu,
        "copy_rate": free.copy_rate or 0.0,
        "exec_minus_baseline": free.scores.exec_at_1 - best,
        "heldout_vs_iid": free.scores.exec_at_1 / max(known_iid.scores.exec_at_1, 1e-9),
        **drafted(generator, held_out[: size.num_drafted]),
        "prompts": float(len(held_out)),
        "compile_at_1_by_hand": by_hand.compile_at_1,
        "exec_at_1_by_hand": by_hand.exec_at_1,
        **_broken_down(free),
    }
    return figures, {name: _rates(each, "") for name, each in baselines.items()}


def drafted(generator: Generator, prompts: Sequence[AskedPrompt]) -> dict[str, float]:
    """Return how many steps a retrieved draft saves, and how often the text stays the same."""
    same, plain_steps, drafted_steps = 0, 0, 0
    for prompt in prompts:
        plain = generator.answer(prompt.pair.sentence, FREE)
        with_draft = generator.answer(prompt.pair.sentence, FREE, retrieve=1)
        same += plain["text"] == with_draft["text"]
        plain_steps, drafted_steps = plain_steps + plain["steps"], drafted_steps + with_draft["steps"]
    return {
        "draft_same_text_share": same / len(prompts),
        "draft_steps_saved_share": 1 - drafted_steps / plain_steps,
    }


def _asked(
    generate: partial[list[str]],
    prompts: Sequence[AskedPrompt],
    *,
    judge: Judge,
    training: CopiedRuns | None = None,
    names: Literal["asked", "any"] = "asked",
) -> Evaluation:
    return evaluate(generate, prompts, compiles=judge.compiles, execute=judge.execute, training=training, names=names)


def _rates(found: Evaluation, suffix: str) -> dict[str, float]:
    scores = found.scores
    return {
        f"compile_at_1{suffix}": scores.compile_at_1,
        f"exec_at_1{suffix}": scores.exec_at_1,
        f"exact_match{suffix}": scores.exact_match,
    }


def _broken_down(found: Evaluation) -> dict[str, float]:
    """Return the rate of right programs by kind, by length in lexemes, and by new compositions."""
    groups = {"kind": found.by_kind, "length": found.by_length, "new": found.by_num_new}
    return {
        f"exec_at_1_{group}_{key}": scores.exec_at_1 for group, each in groups.items() for key, scores in each.items()
    }
