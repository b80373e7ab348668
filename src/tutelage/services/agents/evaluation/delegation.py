"""The delegation of a team with a manager: who was sent where, over some greedy episodes of the last evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.services.agents.building import fleet_of, speech_of
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.config.assignment import assignment_of
from tutelage.services.agents.environments.assigned import MANAGER, Assigned
from tutelage.services.agents.environments.base import About
from tutelage.services.agents.evaluation.evaluate import FINAL
from tutelage.services.agents.evaluation.play import Player
from tutelage.services.agents.policies.team import Team
from tutelage.services.agents.ppo.acting import actions_of

NUM_WATCHED = 20


def assignment_document(config: AgentsConfig, about: About) -> dict[str, Any] | None:
    """Return how goals are assigned, for `agent_config.json`; None where nobody assigns."""
    assignment = assignment_of(config)
    if assignment is None:
        return None
    return {
        "manager": MANAGER,
        "workers": [agent.name for agent in about.agents if agent.name != MANAGER],
        "every": assignment.every,
        "goal_weight": assignment.goal_weight,
    }


def delegation(team: Team, config: AgentsConfig, seeds: Sequence[int], *, index: int) -> dict[str, Any] | None:
    """Return what one seed's manager assigned, and how often to whom; None where nobody assigns."""
    if assignment_of(config) is None:
        return None
    fleet = fleet_of(config, seeds, num_copies=NUM_WATCHED, stream=FINAL)
    try:
        given, changed = _watch(team, config, seeds, fleet, index=index)
    finally:
        fleet.close()
    task = fleet.environments[index]
    assert isinstance(task, Assigned), "the strategy assigns"
    names = [agent.name for agent in fleet.about.agents if agent.name != MANAGER]
    counts = {name: np.bincount(given[:, place], minlength=task.num_goals) for place, name in enumerate(names)}
    return {
        "episodes": NUM_WATCHED,
        "assignments": len(given),
        "by_worker": {name: each.tolist() for name, each in counts.items()},
        "distinct_goals": float(np.mean([len(set(row)) for row in given.tolist()])),
        "changed_share": float(changed.mean()) if len(changed) else None,
    }


def _watch(
    team: Team, config: AgentsConfig, seeds: Sequence[int], fleet: Any, *, index: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Play the episodes; return each assignment (N, workers), and which goals differ from those before (M, workers)."""
    task = fleet.environments[index]
    player = Player(team, speech_of(config, fleet.about, seeds, num_copies=fleet.num), num_copies=fleet.num)
    observation, plays = fleet.reset(), np.ones(fleet.num, bool)
    given, changed = [], []
    while plays.any():
        due, before = task.is_due & plays, task.held.copy()
        choices = player.choose(observation)
        actions = actions_of(choices, len(fleet.about.agents))
        chosen = task.assigned(np.asarray(actions[-1])[index])
        given.append(chosen[due])
        again = due & (before >= 0).all(1)
        changed.append(chosen[again] != before[again])
        step = fleet.step(actions)
        ended = step.terminated | step.truncated
        player.hear(choices, step.observation, ended)
        observation, plays = step.observation, plays & ~ended[index]
    return np.concatenate(given), np.concatenate(changed)
