"""Evaluations of a model of Stable-Baselines3, on the episodes that our own policies are evaluated on."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutelage.services.agents.building import fleet_of
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.evaluation.evaluate import DURING, FINAL, FINAL_CHOICES, Evaluation
from tutelage.services.agents.evaluation.play import Played
from tutelage.services.agents.sb3.models import MAX_SEED
from tutelage.training import seed_of


def during(model: Any, config: AgentsConfig, seed: int) -> Played:
    """Play the episodes of an evaluation on the way, greedily."""
    return _played(model, config, seed, num=config.evaluation_episodes, stream=DURING, greedy=True)


def final(model: Any, config: AgentsConfig, seed: int) -> Evaluation:
    """Play the episodes of the last evaluation: the same weights and seed give the same episodes.

    By chance as the algorithm draws; DQN's share of random actions is the last of its training.
    """
    greedy = _played(model, config, seed, num=config.final_episodes, stream=FINAL, greedy=True)
    if hasattr(model, "exploration_final_eps"):
        model.exploration_rate = model.exploration_final_eps
    model.set_random_seed(seed_of(seed, FINAL_CHOICES) % MAX_SEED)
    sampled = _played(model, config, seed, num=config.final_episodes, stream=FINAL, greedy=False)
    return Evaluation(greedy=greedy, sampled=sampled)


def _played(model: Any, config: AgentsConfig, seed: int, *, num: int, stream: int, greedy: bool) -> Played:
    fleet = fleet_of(config, [seed], num_copies=num, stream=stream)
    try:
        seen = fleet.reset().seen[0][0]
        returns, lengths = np.zeros((1, num)), np.zeros((1, num), np.int64)
        successes, plays = np.zeros((1, num), bool), np.ones((1, num), bool)
        while plays.any():
            actions, _ = model.predict(seen, deterministic=greedy)
            step = fleet.step((np.asarray(actions)[None],))
            ended = step.terminated | step.truncated
            returns += step.rewards.mean(-1) * plays
            lengths += plays
            successes |= step.succeeded & ended & plays
            plays &= ~ended
            seen = step.observation.seen[0][0]
    finally:
        fleet.close()
    return Played(returns=returns, lengths=lengths, successes=successes)
