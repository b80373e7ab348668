"""What a training by Stable-Baselines3 leaves behind: its zip, and our documents of the evaluation."""

from __future__ import annotations

from typing import Any

import stable_baselines3

from tutelage.core.ports import Run
from tutelage.services.agents import artifacts
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.config.sb3 import algorithm_of
from tutelage.services.agents.evaluation.evaluate import evaluation_document
from tutelage.services.agents.sb3.models import num_parameters
from tutelage.services.agents.sb3.playing import final
from tutelage.services.agents.sb3.training import MODEL, Training


def train(config: AgentsConfig, run: Run) -> dict[str, Any] | None:
    """Train, evaluate the best and the last weights, write the artifacts; None where it was paused or cancelled."""
    training = Training(config, run)
    try:
        ending = training.run()
        if ending in ("pause", "cancel"):
            return None
        run.phase("evaluating")
        return package(config, run, training, ended_by=ending)
    finally:
        training.close()


def package(config: AgentsConfig, run: Run, training: Training, *, ended_by: str) -> dict[str, Any]:
    """Write the artifacts and return the result document; the policy kept is the best evaluated one."""
    model, seeds = training.model, [training.seed]
    last = evaluation_document(final(model, config, training.seed), seeds)
    model.policy.load_state_dict(training.best)
    kept = evaluation_document(final(model, config, training.seed), seeds)
    model.save(run.artifact(MODEL))
    artifacts.write_json(run, artifacts.CONFIG, _agent_config(config, training))
    references = {name: item.value for name, item in training.about.references.items()}
    none = {"coordination_score": None, "coordination_reason": "one agent"}
    behavior = {
        "environment": training.about.id,
        "success": training.about.success,
        "best_seed": training.seed,
        "evaluation": kept,
        "last": last,
        "references": {"random": training.baseline, **references},
        **none,
    }
    artifacts.write_json(run, artifacts.BEHAVIOR, behavior)
    stats = _stats(training, kept, ended_by=ended_by)
    artifacts.write_json(run, artifacts.STATS, stats)
    return {
        "success": True,
        "modelPath": f"artifacts/{MODEL}",
        "best_seed": training.seed,
        **none,
        "evaluation": _without_returns(kept),
        "last": _without_returns(last),
        **stats,
    }


def _agent_config(config: AgentsConfig, training: Training) -> dict[str, Any]:
    """Return `agent_config.json`; its config has only what was given: the rest is the library's own."""
    about = training.about
    return {
        "format": "tutelage.agents",
        "version": 1,
        "backend": f"stable_baselines3 {stable_baselines3.__version__}",
        "algorithm": algorithm_of(config),
        "config": config.model_dump(mode="json", exclude_unset=True),
        "environment": artifacts.environment_document(config, about),
        "agents": [artifacts.spaces_document(agent) for agent in about.agents],
        "parameters": num_parameters(training.model),
        "seeds": [training.seed],
        "best_seed": training.seed,
    }


def _stats(training: Training, kept: dict[str, Any], *, ended_by: str) -> dict[str, Any]:
    standing = training.standing
    return {
        "ended_by": ended_by,
        "seeds": [training.seed],
        "total_episodes": standing.episodes,
        "env_steps": standing.env_steps,
        "cpu_s": standing.cpu_s,
        "best_eval_reward": standing.best_return,
        "best_at_env_steps": standing.best_at,
        "first_success_at_env_steps": standing.first_success,
        "parameters": num_parameters(training.model),
        "baseline_random": training.baseline,
        "reward": kept["greedy"]["return"],
        "success_rate": kept["greedy"]["success_rate"],
    }


def _without_returns(document: Any) -> Any:
    if not isinstance(document, dict):
        return document
    return {key: _without_returns(value) for key, value in document.items() if key != "returns"}
