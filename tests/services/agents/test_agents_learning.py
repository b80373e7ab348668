"""The core that learns: one agent and a team, every kind of network, one seed beside others."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from agents_support import Pointing, Radio

from tutelage.services.agents.building import CHOICES, generators_of, roles_for, team_of, training_plan
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.environments.base import Continuous
from tutelage.services.agents.environments.fleet import Fleet
from tutelage.services.agents.environments.registry import build
from tutelage.services.agents.policies.team import Team
from tutelage.services.agents.ppo.collector import Collector
from tutelage.services.agents.ppo.learner import Learned, Learner
from tutelage.services.agents.ppo.loss import Coefficients
from tutelage.services.agents.ppo.speech import Speech
from tutelage.services.agents.ppo.storage import Sizes
from tutelage.training import Updater

WEIGH = Coefficients(clip=0.2, value=0.5, entropy=0.001, exploration=0.05, exploration_weight=0.1, signalling=0.1)


def learner_of(config: AgentsConfig, seeds: list[int], fleet: Fleet, speech: Speech) -> tuple[Learner, Updater, Team]:
    team = team_of(config, roles_for(config, fleet.about, speech), seeds, num_copies=config.num_copies)
    streams = generators_of(seeds, CHOICES)
    sizes = Sizes(seeds=len(seeds), steps=config.rollout_steps, copies=config.num_copies)
    learner = Learner(team, Collector(team, fleet, speech, sizes, streams), streams, config)
    updater = Updater(team, training_plan(config))
    updater.set_rates(lr=config.learning_rate)
    return learner, updater, team


def cartpole(seeds: list[int], **changes: Any) -> tuple[Learner, Updater, Team]:
    config = AgentsConfig.model_validate({"preset": "nano", "num_copies": 8, "batch_size": 128, **changes})
    fleet = Fleet([build("CartPole-v1", num=8, seed=seed) for seed in seeds])
    return learner_of(config, seeds, fleet, Speech(fleet.about, (), num_copies=8, num_seeds=len(seeds)))


def pointing(seeds: list[int], *, walker: Continuous | None = None, **changes: Any) -> tuple[Learner, Updater, Team]:
    settings = {"hidden_size": 32, "num_layers": 1, "num_copies": 32, "rollout_steps": 16, "batch_size": 128}
    config = AgentsConfig.model_validate({"learning_rate": 5e-3, "gamma": 0.5, **settings, **changes})
    fleet = Fleet([Pointing(num=32, seed=seed, walker=walker) for seed in seeds])
    radios = [Radio() for _ in seeds]
    return learner_of(config, seeds, fleet, Speech(fleet.about, radios, num_copies=32, num_seeds=len(seeds)))


def mean_return(learned: Learned, index: int = 0) -> float:
    return float(np.mean(learned.ended[index].returns))


KINDS: dict[str, dict[str, Any]] = {
    "mlp": {},
    "attention": {"agent_architecture": "transformer", "num_heads": 2},
    "recurrent": {"policy": "recurrent", "num_layers": 2},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_learns_the_same_whoever_is_beside_it(kind: str) -> None:
    def weights(seeds: list[int]) -> dict[str, torch.Tensor]:
        learner, updater, team = cartpole(seeds, **KINDS[kind])
        for _ in range(2):
            learner.update(updater, WEIGH)
        return {name: tensor[seeds.index(7)] for name, tensor in team.named_parameters()}

    alone, beside = weights([7]), weights([3, 7, 11])
    for name, tensor in alone.items():
        torch.testing.assert_close(tensor, beside[name], rtol=2e-4, atol=2e-5, msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kept_learner_goes_on_bit_for_bit(kind: str) -> None:
    first, updater, team = cartpole([1, 2], **KINDS[kind])
    first.update(updater, WEIGH)
    second, later, other = cartpole([1, 2], **KINDS[kind])
    other.load_state_dict(copy.deepcopy(team.state_dict()))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    later.load_state_dict(copy.deepcopy(updater.state_dict()))
    for learner, each in ((first, updater), (second, later)):
        learner.update(each, WEIGH)
    for name, tensor in team.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


@pytest.mark.parametrize("strategy", ["independent", "centralized"])
def test_a_team_learns_to_speak_and_to_listen(strategy: str) -> None:
    learner, updater, team = pointing([0, 1], coordination_strategy=strategy)
    assert [policy.role.name for policy in team.roles] == ["guide", "walker_0+1"]
    figures = [learner.update(updater, WEIGH) for _ in range(30)]
    # Without a word a walker is right in a third of its steps; the first step comes before any word.
    assert min(mean_return(figures[-1], index) for index in range(2)) > 2.2
    assert mean_return(figures[0]) < 1.9


@pytest.mark.parametrize("kind", KINDS)
def test_the_listening_bias_reaches_those_who_hear_and_choose_and_nobody_else(kind: str) -> None:
    def weights(listening: float) -> list[list[torch.Tensor]]:
        learner, updater, team = pointing([0, 1], gradient_clip=1e6, **KINDS[kind])
        assert learner.update(updater, replace(WEIGH, listening=listening)).is_applied
        return [[parameter.detach() for parameter in policy.actor.parameters()] for policy in team.roles]

    (guide, walkers), (same_guide, other_walkers) = weights(0.0), weights(1.0)
    assert all(map(torch.equal, guide, same_guide))
    assert not all(map(torch.equal, walkers, other_walkers))
    assert all(torch.isfinite(parameter).all() for parameter in other_walkers)


def test_agents_may_have_policies_of_their_own() -> None:
    _, _, team = pointing([0], share_parameters=False)
    assert [policy.role.name for policy in team.roles] == ["guide", "walker_0", "walker_1"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_team_of_vectors_and_words_learns_with_every_network(kind: str) -> None:
    learner, updater, team = pointing([0, 1], walker=Continuous(low=(0.0,), high=(2.0,)), **KINDS[kind])
    learned = learner.update(updater, WEIGH)
    assert learned.is_applied
    assert all(torch.isfinite(value).all() for value in learned.figures.values())
    assert all(torch.isfinite(parameter).all() for parameter in team.parameters())


def test_a_seed_whose_policy_moved_far_learns_nothing_in_the_rest_of_the_update() -> None:
    figures = []
    for target in (None, 1e-9):
        learner, updater, _ = cartpole([1], target_kl=target, epochs=8, learning_rate=0.02)
        figures.append(float(learner.update(updater, WEIGH).figures["approx_kl"][0]))
    assert figures[1] < 0.5 * figures[0]


def test_a_seed_with_a_target_kl_learns_the_same_whoever_is_beside_it() -> None:
    def weights(seeds: list[int]) -> list[torch.Tensor]:
        learner, updater, team = cartpole(seeds, target_kl=0.002, epochs=8, learning_rate=0.01)
        for _ in range(2):
            learner.update(updater, WEIGH)
        return [parameter[seeds.index(7)] for parameter in team.parameters()]

    for alone, beside in zip(weights([7]), weights([3, 7, 11]), strict=True):
        torch.testing.assert_close(alone, beside, rtol=2e-4, atol=2e-5)


def test_frozen_layers_stay_as_they_are() -> None:
    learner, updater, team = cartpole([1], freeze_layers=["*.actor.body.layers.0.*"])
    before = copy.deepcopy(team.state_dict())
    learner.update(updater, WEIGH)
    moved = {name for name, tensor in team.named_parameters() if not torch.equal(tensor, before[name])}
    assert not any("actor.body.layers.0" in name for name in moved)
    assert "policies.0.actor.head.weight" in moved
