"""The first phase: trains the model, and measures what it learned and how fast it is in torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from tutelage.core.ports import Run
from tutelage.services.codegen import artifacts
from tutelage.services.codegen.batches import Feed
from tutelage.services.codegen.building import curriculum, training_plan
from tutelage.services.codegen.compiling import Compiles, tint_if_installed
from tutelage.services.codegen.config import CodegenConfig
from tutelage.services.codegen.data.pairs import Pair
from tutelage.services.codegen.engines.torch_engine import TorchEngine
from tutelage.services.codegen.held_out import HeldOut
from tutelage.services.codegen.known import KNOWN, save_known
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.services.codegen.phases.manifest import write_manifest
from tutelage.services.codegen.phases.speed import in_units, kernel_timings, writing_timing
from tutelage.services.codegen.prepare import Prepared, known_pairs, prepare
from tutelage.services.codegen.task import CodeTask
from tutelage.training import Outcome, fit, load_best, seed_everything


def architect(config: CodegenConfig, run: Run) -> dict[str, Any] | None:
    """Train a model to its artifacts and manifest; None where it was paused or cancelled."""
    prepared = prepare(config, seed=run.seed)
    run.log(
        f"{len(prepared.corpus):,} programs; {prepared.vocabulary.target_size} tokens of code, "
        f"{prepared.vocabulary.size} in all"
    )
    seed_everything(run.seed)
    model = Transformer(prepared.model).to(run.device)
    compiles = tint_if_installed()
    if compiles is None:
        run.log("Tint is not installed: val_compile_at_1 is not measured", level="warning")
    outcome = fit(_task(config, prepared, model, compiles, seed=run.seed), training_plan(config.training), run)
    if outcome.is_left:
        return None
    run.phase("evaluating")
    if not load_best(model, run, outcome):
        run.log("the weights of the best evaluation were not kept: those of the last step are used", level="warning")
    return _conclude(config, run, prepared, model.eval(), compiles, outcome)


def _task(
    config: CodegenConfig, prepared: Prepared, model: Transformer, compiles: Compiles | None, *, seed: int
) -> CodeTask:
    training = config.training
    held_out = _held_out(config, prepared, model, compiles, prepared.composition[: training.eval_prompts])
    feed = Feed(prepared.example, batch_size=training.batch_size, seed=seed, curriculum=curriculum(training))
    return CodeTask(
        model,
        feed,
        label_smoothing=training.label_smoothing,
        fingerprint=prepared.vocabulary.fingerprint,
        held_out=held_out.figures,
        show=held_out.sample,
    )


def _held_out(
    config: CodegenConfig,
    prepared: Prepared,
    model: Transformer,
    compiles: Compiles | None,
    composition: Sequence[Pair],
) -> HeldOut:
    return HeldOut(
        model,
        prepared.vocabulary,
        composition=composition,
        iid=prepared.iid,
        label_smoothing=config.training.label_smoothing,
        compiles=compiles,
        source=prepared.source,
    )


def _conclude(
    config: CodegenConfig,
    run: Run,
    prepared: Prepared,
    model: Transformer,
    compiles: Compiles | None,
    outcome: Outcome,
) -> dict[str, Any]:
    """Measure the best weights, write the artifacts, check them, write the manifest."""
    held_out = _held_out(config, prepared, model, compiles, prepared.composition)
    quality = {name.removeprefix("val_"): value for name, value in held_out.figures().items()}
    folder = run.artifact(artifacts.WEIGHTS).parent
    breakdown = artifacts.save_model_files(folder, model, prepared.vocabulary)
    save_known(known_pairs(config, prepared.corpus, prepared.own), folder / KNOWN)
    stats = {
        "total_steps": outcome.steps,
        "ended_by": outcome.ended_by,
        "best_step": outcome.best_step,
        "final_loss": outcome.latest.get("train_loss"),
        "level": config.data.level,
        "seed": run.seed,
        "held_out_prompts": len(prepared.composition),
        "programs": len(prepared.corpus),
        "own_pairs": len(prepared.own),
        "retrieve": config.data.retrieve,
        "parameters": breakdown["total"],
        "evaluation": quality,
    }
    artifacts.write_document(folder / artifacts.STATS, stats)
    figures = {**quality, **speed_figures(model)}
    manifest = write_manifest(
        folder,
        "architect",
        inputs=[],
        outputs=[*artifacts.MODEL_FILES, artifacts.STATS, KNOWN],
        benchmarks=figures,
        failures=_failures(model, run),
    )
    return {
        "success": True,
        "modelPath": f"artifacts/{artifacts.WEIGHTS}",
        "manifest": "artifacts/manifests/architect.json",
        "status": manifest.status,
        "parameter_breakdown": breakdown,
        "benchmarks": figures,
        "sample": dict(held_out.sample()),
        **stats,
    }


def speed_figures(model: Transformer) -> dict[str, float]:
    """Return the speed of a model in torch, in CPU time of this process."""
    writing = writing_timing(TorchEngine(model), target_vocab_size=model.config.target_vocab_size)
    return in_units({**kernel_timings(model), "generate_ms": writing})


def _failures(model: Transformer, run: Run) -> list[str]:
    """Return why the phase is not verified: the files must give back the very model."""
    saved = artifacts.load_saved_model(run.artifact(artifacts.WEIGHTS).parent).model
    states: tuple[Mapping[str, Any], Mapping[str, Any]] = (model.state_dict(), saved.state_dict())
    different = [name for name, value in states[0].items() if not torch.equal(value.cpu(), states[1][name])]
    return [f"weights differ after reading them again: {', '.join(different)}"] if different else []
