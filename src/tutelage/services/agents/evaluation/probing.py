"""What a policy tends to do: how often it takes each action over the first steps of fresh episodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tutelage.services.agents.building import fleet_of, speech_of
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.environments.base import Discrete
from tutelage.services.agents.evaluation.play import Player
from tutelage.services.agents.policies.team import Team
from tutelage.services.agents.ppo.acting import actions_of

PROBES, COPIES, STEPS = 13, 16, 25
"""The stream of randomness, and how many states are looked at."""


def action_distribution(team: Team, config: AgentsConfig, seeds: Sequence[int], *, index: int) -> dict[str, Any]:
    """Return, an agent, the share of each greedy action (or the mean vector) of one seed over some states."""
    fleet = fleet_of(config, seeds, num_copies=COPIES, stream=PROBES)
    try:
        player = Player(team, speech_of(config, fleet.about, seeds, num_copies=COPIES), num_copies=COPIES)
        observation, taken = fleet.reset(), []
        for _ in range(STEPS):
            choices = player.choose(observation)
            actions = actions_of(choices, len(fleet.about.agents))
            taken.append(actions)
            step = fleet.step(actions)
            player.hear(choices, step.observation, step.terminated | step.truncated)
            observation = step.observation
    finally:
        fleet.close()
    found: dict[str, Any] = {"states": COPIES * STEPS}
    for place, agent in enumerate(fleet.about.agents):
        if agent.action is None:
            continue
        of_agent = np.stack([np.asarray(actions[place])[index] for actions in taken])
        if isinstance(agent.action, Discrete):
            counts = np.bincount(of_agent.ravel(), minlength=agent.action.num)
            found[agent.name] = (counts / counts.sum()).tolist()
        else:
            found[agent.name] = of_agent.reshape(-1, of_agent.shape[-1]).mean(0).tolist()
    return found
