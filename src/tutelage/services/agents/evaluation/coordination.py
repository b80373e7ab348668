"""The examination of a team: what its link wins, what its words mean, and what they do to those who hear them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.services.agents.building import fleet_of, roles_for, speech_of, team_of
from tutelage.services.agents.communication.channel import WordChannel
from tutelage.services.agents.communication.codebook import codebook
from tutelage.services.agents.communication.influence import (
    causal_influence,
    counterfactual_influence,
    message_information,
)
from tutelage.services.agents.communication.interventions import AS_SAID, INTERVENTIONS, Intervention
from tutelage.services.agents.communication.making import channels_of, plan_of
from tutelage.services.agents.communication.plan import ChannelPlan
from tutelage.services.agents.communication.score import Coordination, NoScore, coordination, reference_of
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.environments.base import About
from tutelage.services.agents.evaluation.evaluate import DURING, FINAL
from tutelage.services.agents.evaluation.listening import Heard, Listener
from tutelage.services.agents.evaluation.play import Played, play
from tutelage.services.agents.policies.team import Team, seed_slices

NUM_WATCHED = 100
"""Episodes that are watched for words and influences."""


def intervened(
    team: Team, config: AgentsConfig, seeds: Sequence[int], intervention: Intervention, *, num: int, stream: int = FINAL
) -> Played:
    """Play the evaluation's own episodes, greedily, while the channel does something else to the words."""
    fleet = fleet_of(config, seeds, num_copies=num, stream=stream)
    try:
        speech = speech_of(config, fleet.about, seeds, num_copies=num, intervention=intervention)
        return play(team, fleet, speech)
    finally:
        fleet.close()


def scores_of(
    team: Team, config: AgentsConfig, seeds: Sequence[int], about: About, played: Played, *, stream: int = FINAL
) -> list[Coordination | NoScore]:
    """Return each seed's coordination score; `played` are the same episodes with the link as it is."""
    reason = no_score(about, plan_of(about, config.communication_protocols, config.channel))
    if reason is not None:
        return [reason for _ in seeds]
    num = played.returns.shape[1]
    without: dict[str, NDArray[np.float64]] = {
        name: intervened(team, config, seeds, INTERVENTIONS[name], num=num, stream=stream).returns
        for name in ("cut", "shuffled")
    }
    return [
        coordination(
            played.returns[index],
            cut=without["cut"][index],
            shuffled=without["shuffled"][index],
            reference=reference_of(about.references),
            random=np.random.default_rng(seed),
        )
        for index, seed in enumerate(seeds)
    ]


def figures_of(
    team: Team, config: AgentsConfig, seeds: Sequence[int], about: About, played: Played
) -> list[dict[str, float]]:
    """Return each seed's figures of an evaluation on the way: empty where nobody speaks."""
    plan = plan_of(about, config.communication_protocols, config.channel)
    if plan is None:
        return [{} for _ in seeds]
    scores = scores_of(team, config, seeds, about, played, stream=DURING)
    names = [agent.name for agent in about.agents]
    found: list[dict[str, float]] = []
    for index, (seed, score) in enumerate(zip(seeds, scores, strict=True)):
        channel, heard = listen(team, config, seed, index=index, plan=plan, num=config.evaluation_episodes)
        influence = mean_influence(influences(names, heard))
        told = {"messages_per_step": channel.traffic.messages / max(channel.traffic.steps, 1)}
        if isinstance(score, Coordination):
            told |= {"coordination_score": score.score.value, "cut_reward": score.cut.value}
        found.append(told if influence is None else {**told, "causal_influence": influence})
    return found


def no_score(about: About, plan: ChannelPlan | None) -> NoScore | None:
    """Return why there is no score, before anything is played; None where there is one."""
    if len(about.agents) == 1:
        return NoScore(reason="one agent")
    if about.link is None:
        return NoScore(reason="the task has no link between its agents")
    return NoScore(reason="no communication protocol is used") if plan is None else None


def communication_document(team: Team, config: AgentsConfig, seed: int, *, index: int, about: About) -> dict[str, Any]:
    """Return what one seed's agents say and what it does: messages, code, information, influences. Empty: no link."""
    plan = plan_of(about, config.communication_protocols, config.channel)
    if plan is None:
        return {}
    channel, heard = listen(team, config, seed, index=index, plan=plan)
    names = [agent.name for agent in about.agents]
    return {
        "protocols": list(plan.protocols),
        "words": plan.words,
        "messages_per_step": channel.traffic.messages / max(channel.traffic.steps, 1),
        "bits_per_step": channel.traffic.bits / max(channel.traffic.steps, 1),
        "speakers": [_speaker(names, agent, heard, plan) for agent in sorted(heard.said)],
        "influences": influences(names, heard),
    }


def listen(
    team: Team, config: AgentsConfig, seed: int, *, index: int, plan: ChannelPlan, num: int = NUM_WATCHED
) -> tuple[WordChannel, Heard]:
    """Watch one seed's team for some episodes; return its channel and what was heard."""
    fleet = fleet_of(config, [seed], num_copies=num, stream=FINAL)
    try:
        speech = speech_of(config, fleet.about, [seed], num_copies=num)
        alone = team_of(config, roles_for(config, fleet.about, speech), [seed], num_copies=config.num_copies)
        alone.load_state_dict(seed_slices(team, index))
        (channel,) = channels_of(plan, [seed], num_copies=num, intervention=AS_SAID)
        return channel, Listener(alone, fleet, channel).watch()
    finally:
        fleet.close()


def influences(names: Sequence[str], heard: Heard) -> list[dict[str, Any]]:
    """Return what the words of each speaker do to each hearer, nats."""
    found = []
    for (speaker, hearer), pair in sorted(heard.pairs.items()):
        if not pair.said:
            continue
        acted, said = np.concatenate(pair.acted, 1), np.concatenate(pair.said)
        found.append(
            {
                "speaker": names[speaker],
                "hearer": names[hearer],
                "causal_influence": round(causal_influence(acted, said.mean(0)), 6),
                "influence": round(counterfactual_influence(acted, said), 6),
                "situations": len(said),
            }
        )
    return found


def mean_influence(documents: Sequence[dict[str, Any]]) -> float | None:
    """Return the mean causal influence over pairs; None where no pair could be measured."""
    return float(np.mean([each["causal_influence"] for each in documents])) if documents else None


def _speaker(names: Sequence[str], agent: int, heard: Heard, plan: ChannelPlan) -> dict[str, Any]:
    said = np.concatenate(heard.said[agent])
    if not len(said):
        return {"speaker": names[agent], "messages": 0}
    told = message_information(said)
    code = codebook(
        names[agent], np.concatenate(heard.seen[agent]), np.concatenate(heard.words[agent]), num_words=plan.words
    )
    return {
        **code.as_dict(),
        "messages": len(said),
        "entropy_nats": round(told.entropy, 6),
        "information_nats": round(told.mutual, 6),
        "bits_per_message": plan.bits(agent),
    }
