"""One model from its first step to its artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safetensors.torch import load_model

from tutelage.core.ports import Run
from tutelage.services.cognate import artifacts
from tutelage.services.cognate.artifacts import Shelf
from tutelage.services.cognate.building import model_settings, training_plan
from tutelage.services.cognate.config import CognateConfig
from tutelage.services.cognate.data.stream import Stream
from tutelage.services.cognate.evaluation import Answered, answer_questions, evaluate
from tutelage.services.cognate.export.huggingface import export_folder
from tutelage.services.cognate.model.causal_lm import CausalLM
from tutelage.services.cognate.model_run import ModelRun
from tutelage.services.cognate.prepare import Prepared
from tutelage.services.cognate.task import LanguageTask
from tutelage.training import Outcome, fit, load_best, seed_everything

SETTLED_EVALUATIONS = 3
"""A training has converged where that many evaluations in a row brought nothing better."""


def pretrain(
    config: CognateConfig, run: Run, prepared: Prepared, *, scope: str = "", folder: str = ""
) -> dict[str, Any] | None:
    """Train one model, evaluate its best weights, write its artifacts; None where it was paused or cancelled.

    `scope` is where its metrics stand, `folder` where its artifacts go; both empty for the one model of an operation.
    """
    seed_everything(run.seed)
    model = CausalLM(model_settings(config)).to(run.device)
    stream = Stream(prepared.corpus, lanes=config.batch_size, segment_len=config.segment_len, seed=run.seed)
    task = LanguageTask(
        model, stream, prepared.held_out, prepared.tokenizer, act_tau=config.act_tau, prompt=prepared.prompt
    )
    outcome = fit(task, training_plan(config), run)
    if outcome.is_left:
        return None
    run.phase("evaluating")
    _load_best(model, run, outcome)
    model.eval()
    figures = evaluate(model, prepared.held_out, act_tau=config.act_tau)
    answered = answer_questions(
        model, prepared.tokenizer, prepared.held_out_samples, at_most=config.exact_match_samples
    )
    shelf = Shelf(run=run, folder=folder)
    breakdown = artifacts.save_model_files(shelf, model, prepared.tokenizer, task.bank)
    if config.exports:
        export_folder(shelf.path("huggingface/config.json").parent, model, prepared.tokenizer)
    seconds = artifacts.write_log(shelf, scope)
    stats = _stats(config, prepared, outcome, figures, answered, parameters=breakdown["total"], seconds=seconds)
    artifacts.write_json(shelf, artifacts.STATS, stats)
    return {
        "success": True,
        "modelPath": f"artifacts/{shelf.name(artifacts.WEIGHTS)}",
        "ended_by": outcome.ended_by,
        "parameters": breakdown,
        "sample": dict(task.sample()),
        "answers": [dict(item) for item in answered.shown],
        **stats,
    }


def _load_best(model: CausalLM, run: Run, outcome: Outcome) -> None:
    """Load the weights of the best evaluation; where they were not kept, the last step's stay, and the log says so."""
    if isinstance(run, ModelRun):
        is_loaded = run.best_weights is not None
        if run.best_weights is not None:
            load_model(model, run.best_weights)
    else:
        is_loaded = load_best(model, run, outcome)
    if not is_loaded:
        run.log("the weights of the best evaluation were not kept: those of the last step are used", level="warning")


def _stats(
    config: CognateConfig,
    prepared: Prepared,
    outcome: Outcome,
    figures: Mapping[str, float],
    answered: Answered,
    *,
    parameters: int,
    seconds: float,
) -> dict[str, Any]:
    """Return `training_stats.json`."""
    validation: dict[str, float | None] = {**figures, "exact_match": answered.exact_match}
    return {
        "total_steps": outcome.steps,
        "final_loss": outcome.latest.get("train_loss"),
        "best_eval_loss": outcome.best_value,
        "best_step": outcome.best_step,
        "training_time": seconds,
        "parameter_count": parameters,
        "convergence_achieved": has_converged(outcome, eval_steps=config.eval_steps),
        "datasets_processed": prepared.datasets,
        "train_tokens": prepared.corpus.num_tokens,
        "validation": validation,
        "questions_asked": answered.num_asked,
    }


def has_converged(outcome: Outcome, *, eval_steps: int) -> bool:
    """Tell whether the validation loss had stopped falling: early stopping ended it, or the best is evaluations old."""
    if outcome.ended_by == "early_stopping":
        return True
    return outcome.best_step is not None and outcome.steps - outcome.best_step >= SETTLED_EVALUATIONS * eval_steps
