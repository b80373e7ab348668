"""From a task's link and the settings of a team to its channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tutelage.services.agents.communication.channel import WordChannel
from tutelage.services.agents.communication.interventions import AS_SAID, Intervention
from tutelage.services.agents.communication.plan import ChannelPlan
from tutelage.services.agents.config.channel import ChannelOptions, Protocol
from tutelage.services.agents.environments.base import About


def plan_of(about: About, protocols: Sequence[Protocol], options: ChannelOptions) -> ChannelPlan | None:
    """Return how the agents of a task speak to each other; None where they have no link, or no protocol for it."""
    if about.link is None or not protocols:
        return None
    plan = ChannelPlan(link=about.link, num_agents=len(about.agents), protocols=tuple(protocols), options=options)
    return plan if any(plan.speaks(agent) for agent in range(plan.num_agents)) else None


def channels_of(
    plan: ChannelPlan | None, seeds: Sequence[int], *, num_copies: int, intervention: Intervention = AS_SAID
) -> tuple[WordChannel, ...]:
    """Return one channel a seed; none where nobody speaks. `seeds` begin the randomness of noise and drops."""
    if plan is None:
        return ()
    return tuple(WordChannel(plan, num_copies, seed=seed, intervention=intervention) for seed in seeds)


def channel_document(about: About, protocols: Sequence[Protocol], options: ChannelOptions) -> dict[str, Any] | None:
    """Return the channel as `agent_config.json` tells it; None where nobody speaks."""
    plan = plan_of(about, protocols, options)
    if plan is None:
        return None
    names = [agent.name for agent in about.agents]
    return {
        "words": plan.words,
        "protocols": list(plan.protocols),
        **options.model_dump(),
        "symbols": {names[agent]: plan.choices(agent) for agent in range(plan.num_agents) if plan.speaks(agent)},
        "hears": {
            names[agent]: [names[source] for source in plan.sources(agent)]
            for agent in range(plan.num_agents)
            if plan.hears(agent)
        },
    }
