"""What each agent of a team is there for, read off the task and its link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tutelage.services.agents.communication.making import plan_of
from tutelage.services.agents.communication.plan import ChannelPlan
from tutelage.services.agents.config.channel import ChannelOptions, Protocol
from tutelage.services.agents.environments.assigned import MANAGER
from tutelage.services.agents.environments.base import About

Role = Literal["coordinator", "specialist", "communication_hub", "worker"]


def duties_of(about: About, plan: ChannelPlan | None) -> dict[str, Role]:
    """Return each agent's role by its name.

    A *coordinator* speaks or assigns goals and does nothing else; a *communication_hub* hears at least two others and
    speaks to at least two; a *specialist* differs from every other agent in what it sees or may do; all others
    are *workers*.
    """
    return {agent.name: _role(about, plan, index) for index, agent in enumerate(about.agents)}


def _role(about: About, plan: ChannelPlan | None, index: int) -> Role:
    agent = about.agents[index]
    if agent.action is None or agent.name == MANAGER:
        return "coordinator"
    if (
        plan is not None
        and _num_hearers(plan, index) >= 2
        and len(plan.sources(index)) >= 2
        and _is_only_hub(plan, index)
    ):
        return "communication_hub"
    alike = [each for each in about.agents if (each.observation, each.action) == (agent.observation, agent.action)]
    return "specialist" if len(alike) == 1 and len(about.agents) > 1 else "worker"


def _num_hearers(plan: ChannelPlan, agent: int) -> int:
    return len([hearer for hearer in plan.link.hearers if hearer != agent]) if agent in plan.link.speakers else 0


def _is_only_hub(plan: ChannelPlan, agent: int) -> bool:
    """Return whether not all agents alike both speak and hear: where all do, none is the hub."""
    both = set(plan.link.speakers) & set(plan.link.hearers)
    return agent in both and len(both) < plan.num_agents


def team_roles(about: About, protocols: Sequence[Protocol], options: ChannelOptions) -> dict[str, Role]:
    """Return each agent's role with the channel that a config gives the team."""
    return duties_of(about, plan_of(about, protocols, options))
