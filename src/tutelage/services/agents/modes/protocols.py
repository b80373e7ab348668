"""What a training mode does before and after the training itself: its settings, and the test it ends with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.core.ports import Run
from tutelage.services.agents.base_model import Base, frozen_copy
from tutelage.services.agents.building import fleet_of, team_of
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.evaluation.baseline import random_return
from tutelage.services.agents.evaluation.evaluate import FINAL, Evaluation, final
from tutelage.services.agents.evaluation.statistics import estimate, improvement
from tutelage.services.agents.modes.control import run_control
from tutelage.services.agents.modes.regain import crossing, level_of
from tutelage.services.agents.teams.roles import team_roles
from tutelage.services.agents.training import Training

Reals = NDArray[np.float64]
LEAST_INFLUENCE = 0.05
"""Nats below which agents are not communicating, as in health check H104."""
COMPARED = ("behavior_adaptation", "coordination")
"""Modes whose test is a second training."""
LEAVING = ("pause", "cancel")
SPECIALIZATION_KL = 0.02
"""The price of leaving the base where `task_specialization` is given none."""


def settled(config: AgentsConfig) -> AgentsConfig:
    """Return the config with what its mode asks for."""
    changes: dict[str, Any] = {}
    if config.training_mode == "coordination":
        changes["communication_protocols"] = []
    if config.training_mode == "task_specialization" and "base_kl_weight" not in config.model_fields_set:
        changes["base_kl_weight"] = SPECIALIZATION_KL
    return config.model_copy(update=changes) if changes else config


def outcome(
    config: AgentsConfig,
    run: Run,
    training: Training,
    kept: Evaluation,
    *,
    base: Base | None,
    behavior: Mapping[str, Any],
    ended_by: str,
) -> dict[str, Any] | None:
    """Run the exit test of a mode; None where the mode has none.

    `passed` None: it could not be decided, and `why`. `left` True: a pause or a cancel ended the comparison.
    """
    mode = config.training_mode
    if mode not in TESTS:
        return None
    if ended_by != "max_steps" and mode in COMPARED:
        return {"mode": mode, "passed": None, "why": "it was stopped before its budget was spent: nothing is compared"}
    return {"mode": mode, **TESTS[mode](config, run, training, kept, base, behavior)}


def _adaptation(
    config: AgentsConfig, run: Run, training: Training, kept: Evaluation, base: Base | None, behavior: Mapping[str, Any]
) -> dict[str, Any]:
    """Steps to regain a share of the former return, from the base and from scratch, each seed against its twin."""
    assert base is not None, "checked with the config"
    former = float(_base_evaluation(base, base.saved.config).greedy.returns.mean())
    level = level_of(former, floor=training.baseline, threshold=config.adaptation_threshold)
    run.phase("comparing")
    scratch, ending = run_control(config.model_copy(update={"base_model": None, "base_kl_weight": 0.0}), run, "scratch")
    if ending in LEAVING:
        return {"left": True}
    budget = training.standing.env_steps
    ours = [_regained(training, index, level=level, budget=budget) for index in range(len(training.seeds))]
    theirs = [_regained(scratch, index, level=level, budget=budget) for index in range(len(training.seeds))]
    adapted, fresh = np.mean([each.at_least for each in ours]), np.mean([each.at_least for each in theirs])
    is_decided = ending == "max_steps" and all(each.steps is not None for each in ours)
    return {
        "passed": bool(adapted < fresh) if is_decided else (None if ending != "max_steps" else False),
        "former_return": former,
        "floor": training.baseline,
        "level": level,
        "return_at_once": float(np.mean(training.standing.curve[0][1])),  # of the base, before any update
        "adaptation_threshold": config.adaptation_threshold,
        "steps_adapted": [each.as_dict() for each in ours],
        "steps_from_scratch": [each.as_dict() for each in theirs],
        "mean_steps_adapted": float(adapted),
        "mean_steps_from_scratch_at_least": float(fresh),
        "why": "steps to regain the level, from the base model against from scratch; evaluations are "
        f"{budget // config.num_evaluations} steps apart",
    }


def _specialization(
    config: AgentsConfig, run: Run, training: Training, kept: Evaluation, base: Base | None, behavior: Mapping[str, Any]
) -> dict[str, Any]:
    """What fine-tuning gained in the target, and lost in the task that the base was trained for."""
    assert base is not None, "checked with the config"
    own = base.saved.config
    before = _before(config, training, base).greedy.returns.mean(1)
    gain = estimate(kept.greedy.returns.mean(1) - before, random=_random(training), statistic=_mean)
    former = _base_evaluation(base, own).greedy.returns
    # The policies of now, in the environment of the base.
    home = config.model_copy(update={"environment": own.environment, "final_episodes": own.final_episodes})
    after = final(training.team, home, training.seeds).greedy.returns.mean(1)
    floor = float(own_floor(base))
    scale = max(float(former.mean()) - floor, 1e-9)
    forgetting = float(np.clip((float(former.mean()) - after.mean()) / scale, 0.0, None))
    return {
        "passed": bool(gain.low > 0.0 and forgetting <= config.max_forgetting),
        "target_return_before": float(before.mean()),
        "target_return_after": float(kept.greedy.returns.mean()),
        "target_gain": gain.as_dict(),
        "base_return_before": float(former.mean()),
        "base_return_after": float(after.mean()),
        "forgetting": forgetting,
        "max_forgetting": config.max_forgetting,
        "base_kl_weight": config.base_kl_weight,
        "why": "gain in the target with its interval over seeds; forgetting is the lost share of the way from acting at"
        " random to the base's return in its own task",
    }


def _coordination(
    config: AgentsConfig, run: Run, training: Training, kept: Evaluation, base: Base | None, behavior: Mapping[str, Any]
) -> dict[str, Any]:
    """A shared critic and a common reward against independent learners of the same budget and seeds."""
    run.phase("comparing")
    alone = {"coordination_strategy": "independent", "collaboration_weight": 0.0}
    control, ending = run_control(config.model_copy(update=alone), run, "independent")
    if ending in LEAVING:
        return {"left": True}
    control.team.load_state_dict(control.best)
    others = final(control.team, config, training.seeds).greedy.returns.mean(1)
    ours = kept.greedy.returns.mean(1)
    better = improvement(ours, others, random=_random(training))
    gain = estimate(ours - others, random=_random(training), statistic=_mean)
    return {
        "passed": bool(gain.low > 0.0) if ending == "max_steps" else None,
        "return": float(ours.mean()),
        "return_of_independent_learners": float(others.mean()),
        "gain": gain.as_dict(),
        "probability_of_improvement": better.as_dict(),
        "why": "mean gain over independent learners, seeds paired; a claim needs at least 5 seeds",
    }


def _collaboration(
    config: AgentsConfig, run: Run, training: Training, kept: Evaluation, base: Base | None, behavior: Mapping[str, Any]
) -> dict[str, Any]:
    """The return with the channel less the return without it, by the same policies on the same episodes."""
    gains = {seed: part["gain"] for seed, part in behavior["coordination"].items() if "gain" in part}
    plan_roles = team_roles(training.about, config.communication_protocols, config.channel)
    return {
        "passed": all(gain["low"] > 0.0 for gain in gains.values()) if gains else None,
        "gain": gains,
        "coordination_score": behavior["coordination_score"],
        "roles": plan_roles,
        "why": "return with the link less the better one of link cut and words shuffled; its interval is above 0",
    }


def _communication(
    config: AgentsConfig, run: Run, training: Training, kept: Evaluation, base: Base | None, behavior: Mapping[str, Any]
) -> dict[str, Any]:
    """The code that came about, and that it is heard."""
    told = behavior["communication"]
    influences = [each["causal_influence"] for each in told["influences"]]
    return {
        "passed": bool(influences and max(influences) > LEAST_INFLUENCE) if influences else None,
        "causal_influence": max(influences) if influences else None,
        "least_influence": LEAST_INFLUENCE,
        "code": told["speakers"],
        "why": f"the causal influence of some speaker on some hearer is above {LEAST_INFLUENCE} nats",
    }


TESTS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "behavior_adaptation": _adaptation,
    "task_specialization": _specialization,
    "coordination": _coordination,
    "multi_agent_collaboration": _collaboration,
    "communication_protocols": _communication,
}


def _regained(training: Training, index: int, *, level: float, budget: int) -> Any:
    curve = training.standing.curve
    return crossing(
        [int(steps) for steps, _ in curve], [float(returns[index]) for _, returns in curve], level=level, budget=budget
    )


def _base_evaluation(base: Base, config: AgentsConfig) -> Evaluation:
    """Evaluate the base in a task, on the episodes that its best seed is evaluated on."""
    saved = base.saved
    team = team_of(saved.config, [policy.role for policy in saved.team.roles], [saved.best_seed], num_copies=1)
    state = team.state_dict()
    team.load_state_dict({**base.weights, **{name: state[name] for name in state if name.startswith("returns.")}})
    return final(team, config, [saved.best_seed])


def _before(config: AgentsConfig, training: Training, base: Base) -> Evaluation:
    """Evaluate the base in the new task, on the very episodes of each of this training's seeds."""
    return final(frozen_copy(base, config, training.seeds), config, training.seeds)


def own_floor(base: Base) -> float:
    """Return what acting at random earns in the base's own task."""
    config, seed = base.saved.config, base.saved.best_seed
    fleet = fleet_of(config, [seed], num_copies=config.final_episodes, stream=FINAL)
    try:
        return random_return(fleet, seed=seed)
    finally:
        fleet.close()


def _mean(values: Reals) -> float:
    return float(values.mean())


def _random(training: Training) -> np.random.Generator:
    return np.random.default_rng(training.seeds[0])
