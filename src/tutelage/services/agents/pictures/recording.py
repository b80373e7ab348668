"""Films a trained team: some greedy episodes of one seed, with what is said in each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.services.agents.building import fleet_of, speech_of
from tutelage.services.agents.communication.making import plan_of
from tutelage.services.agents.communication.plan import NOTHING, ChannelPlan
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.environments.base import About
from tutelage.services.agents.evaluation.evaluate import FINAL
from tutelage.services.agents.evaluation.play import Player
from tutelage.services.agents.pictures.trajectory import Message, Trajectory
from tutelage.services.agents.policies.team import Team
from tutelage.services.agents.ppo.acting import actions_of, words_of

NUM_EPISODES = 3


def record(team: Team, config: AgentsConfig, seeds: Sequence[int], *, index: int) -> Trajectory:
    """Return the first episodes of the last evaluation's seed `index`, one after the other.

    An environment whose scenes are empty (a user's own, without pictures) gives a trajectory without frames.
    """
    fleet = fleet_of(config, seeds, num_copies=NUM_EPISODES, stream=FINAL)
    try:
        about = fleet.about
        plan = plan_of(about, config.communication_protocols, config.channel)
        player = Player(team, speech_of(config, about, seeds, num_copies=NUM_EPISODES), num_copies=NUM_EPISODES)
        films = [_empty(about) for _ in range(NUM_EPISODES)]
        observation, plays, step_number = fleet.reset(), np.ones(NUM_EPISODES, dtype=bool), 0
        while plays.any() and not all(film.is_full for film in films):
            choices = player.choose(observation)
            words = words_of(choices, len(about.agents))
            scenes = [fleet.scene(copy, seed_index=index) for copy in range(NUM_EPISODES)]
            step = fleet.step(actions_of(choices, len(about.agents)))
            for copy in np.flatnonzero(plays):
                film = films[copy]
                if scenes[copy].get("shapes"):
                    said = messages_of(about, plan, words, seed_index=index, copy=int(copy))
                    rewards = step.rewards[index, copy].tolist()
                    film.add(episode=int(copy), step=step_number, scene=scenes[copy], messages=said, rewards=rewards)
            ended = step.terminated | step.truncated
            player.hear(choices, step.observation, ended)
            observation, plays, step_number = step.observation, plays & ~ended[index], step_number + 1
    finally:
        fleet.close()
    joined = _empty(about)
    for film in films:
        for frame in film.frames[: joined.room]:
            joined.frames.append(frame)
    return joined


def messages_of(
    about: About,
    plan: ChannelPlan | None,
    words: Sequence[NDArray[Any] | None],
    *,
    seed_index: int,
    copy: int,
) -> list[Message]:
    """Return what is said in one copy, by the names of speakers and hearers."""
    found = []
    for speaker, chosen in enumerate(words):
        if plan is None or chosen is None or not plan.speaks(speaker):
            continue
        word, address = (int(part[0]) for part in plan.decode(speaker, chosen[seed_index, copy : copy + 1]))
        if word == NOTHING:
            continue
        to = plan.addresses(speaker)[address].hearer
        hearers = (to,) if to is not None else tuple(each for each in plan.link.hearers if each != speaker)
        names = tuple(about.agents[hearer].name for hearer in hearers)
        found.append(Message(speaker=about.agents[speaker].name, hearers=names, word=word))
    return found


def _empty(about: About) -> Trajectory:
    return Trajectory(environment=about.id, agents=tuple(agent.name for agent in about.agents))
