"""The end of a training: evaluate the best and the last weights of every seed, and write all that is left behind."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from tutelage.core.ports import Run
from tutelage.services.agents import artifacts
from tutelage.services.agents.base_model import Base
from tutelage.services.agents.communication.score import Coordination, NoScore
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.evaluation.coordination import communication_document, scores_of
from tutelage.services.agents.evaluation.delegation import delegation
from tutelage.services.agents.evaluation.evaluate import Evaluation, evaluation_document, final
from tutelage.services.agents.evaluation.probing import action_distribution
from tutelage.services.agents.modes.protocols import outcome
from tutelage.services.agents.onnx_export import export_onnx
from tutelage.services.agents.pictures.recording import record
from tutelage.services.agents.training import Training


def package(
    config: AgentsConfig, run: Run, training: Training, *, ended_by: str, base: Base | None = None
) -> dict[str, Any] | None:
    """Write the artifacts and return the result document; None where a pause or a cancel ended the mode's comparison.

    The policies kept are each seed's best evaluated ones.
    """
    team, seeds = training.team, training.seeds
    last = final(team, config, seeds)
    team.load_state_dict(training.best)
    kept = final(team, config, seeds)
    best_seed = seeds[best_index(kept)]
    artifacts.save_weights(run, team.state_dict())
    about = artifacts.agent_config(config, team, training.about, seeds, best_seed=best_seed)
    artifacts.write_json(run, artifacts.CONFIG, about)
    behavior = _behavior(config, training, kept, last, best_seed=best_seed)
    mode = outcome(config, run, training, kept, base=base, behavior=behavior, ended_by=ended_by)
    if mode is not None and mode.get("left"):
        return None
    behavior["mode"] = mode
    artifacts.write_json(run, artifacts.BEHAVIOR, behavior)
    exported = export_onnx(team, index=seeds.index(best_seed), path_of=run.artifact)
    _film(config, run, training, index=seeds.index(best_seed))
    stats = _stats(training, kept, ended_by=ended_by)
    artifacts.write_json(run, artifacts.STATS, stats)
    return {
        "success": True,
        "modelPath": f"artifacts/{artifacts.WEIGHTS}",
        "onnx": exported,
        "best_seed": best_seed,
        "coordination_score": behavior["coordination_score"],
        "coordination_reason": behavior["coordination_reason"],
        "mode": behavior["mode"],
        "evaluation": _without_returns(behavior["evaluation"]),
        "last": _without_returns(behavior["last"]),
        **stats,
    }


def _film(config: AgentsConfig, run: Run, training: Training, *, index: int) -> None:
    """Write episodes of the best seed as JSON and as GIF, where the environment draws itself and Pillow is there."""
    trajectory = record(training.team, config, training.seeds, index=index)
    if not trajectory.frames:
        return
    trajectory.save(run.artifact(artifacts.TRAJECTORY))
    if importlib.util.find_spec("PIL") is None:
        run.log("no GIF was drawn: Pillow is not installed", level="info")
        return
    from tutelage.services.agents.pictures.gif import save_gif

    save_gif(trajectory, run.artifact(artifacts.GIF))


def best_index(evaluation: Evaluation) -> int:
    """Return the place of the seed with the best greedy return; of equals that with the better sampled one."""
    greedy, sampled = evaluation.greedy.returns.mean(1), evaluation.sampled.returns.mean(1)
    return int(np.lexsort((sampled, greedy))[-1])


def _behavior(
    config: AgentsConfig, training: Training, kept: Evaluation, last: Evaluation, *, best_seed: int
) -> dict[str, Any]:
    """Return `behavior_policy.json`: what the policies do, and how well."""
    seeds = training.seeds
    return {
        "environment": training.about.id,
        "success": training.about.success,
        "best_seed": best_seed,
        "evaluation": evaluation_document(kept, seeds),
        "last": evaluation_document(last, seeds),
        "references": {
            "random": training.baseline,
            **{name: item.value for name, item in training.about.references.items()},
        },
        **_coordination(config, training, kept, best_seed=best_seed),
        "delegation": delegation(training.team, config, seeds, index=seeds.index(best_seed)),
        "action_distribution": action_distribution(training.team, config, seeds, index=seeds.index(best_seed)),
    }


def _coordination(config: AgentsConfig, training: Training, kept: Evaluation, *, best_seed: int) -> dict[str, Any]:
    """Return what the link wins, by seed, and what the best seed's agents say to each other."""
    team, seeds, about = training.team, training.seeds, training.about
    scores = scores_of(team, config, seeds, about, kept.greedy)
    values = [score.score.value for score in scores if isinstance(score, Coordination)]
    reasons = [score.reason for score in scores if isinstance(score, NoScore)]
    return {
        "coordination_score": float(np.mean(values)) if values else None,
        "coordination_reason": reasons[0] if reasons else None,
        "coordination": {str(seed): score.as_dict() for seed, score in zip(seeds, scores, strict=True)},
        "communication": communication_document(team, config, best_seed, index=seeds.index(best_seed), about=about),
    }


def _stats(training: Training, kept: Evaluation, *, ended_by: str) -> dict[str, Any]:
    """Return `training_stats.json`."""
    standing = training.standing
    return {
        "ended_by": ended_by,
        "seeds": training.seeds,
        "total_episodes": standing.episodes,
        "env_steps": standing.env_steps,
        "updates": standing.updates,
        "cpu_s": standing.cpu_s,
        "best_eval_reward": standing.best_return,
        "best_at_env_steps": standing.best_at,
        "first_success_at_env_steps": standing.first_success,
        "parameters": training.team.num_parameters(),
        "baseline_random": training.baseline,
        "reward": float(kept.greedy.returns.mean()),
        "success_rate": float(kept.greedy.successes.mean()),
    }


def _without_returns(document: dict[str, Any]) -> dict[str, Any]:
    """Return an evaluation without the list of every episode, for the result."""
    if not isinstance(document, dict):
        return document
    return {key: _without_returns(value) for key, value in document.items() if key != "returns"}
