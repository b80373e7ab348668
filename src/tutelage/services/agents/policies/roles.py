"""Which agents share one policy, and what each policy and critic is given."""

from __future__ import annotations

from dataclasses import dataclass

from tutelage.services.agents.environments.base import About, AgentSpaces, Entities
from tutelage.services.agents.policies.heads import Heads


@dataclass(frozen=True, kw_only=True)
class Role:
    """Agents with one set of weights. An actor's input is what it sees, what it hears, and which of them it is.

    `critic_inputs` 0: the critic sees what the actor does. Otherwise it sees the state, or all that all agents see,
    then all that they hear, and which of the role's agents it judges; the first `critic_seen` numbers are normalised.
    """

    name: str
    agents: tuple[int, ...]
    heads: Heads
    observation: int
    hears: int
    entities: Entities | None
    critic_inputs: int
    critic_seen: int

    @property
    def names_agents(self) -> int:
        """Numbers that say which agent it is; 0 where there is one."""
        return len(self.agents) if len(self.agents) > 1 else 0

    @property
    def inputs(self) -> int:
        """Numbers that the actor is given."""
        return self.observation + self.hears + self.names_agents


def roles_of(
    about: About,
    *,
    symbols: tuple[int, ...] | None = None,
    widths: tuple[int, ...] | None = None,
    shares: bool = True,
    centralized: bool = True,
) -> tuple[Role, ...]:
    """Return the roles of a task; agents with equal spaces and the same channel share one where `shares`.

    `symbols` and `widths` are the channel's; without one nobody speaks or hears.
    """
    num = len(about.agents)
    symbols, widths = symbols or (0,) * num, widths or (0,) * num
    groups: dict[tuple[object, ...], list[int]] = {}
    for index, agent in enumerate(about.agents):
        key = (agent.observation, agent.action, agent.entities, symbols[index], widths[index])
        groups.setdefault(key if shares else (index,), []).append(index)
    seen = about.state or sum(agent.observation for agent in about.agents)
    shared = seen + sum(widths) if centralized and num > 1 else 0
    return tuple(_role(about, tuple(agents), symbols, widths, shared, seen) for agents in groups.values())


def _role(
    about: About, agents: tuple[int, ...], symbols: tuple[int, ...], widths: tuple[int, ...], shared: int, seen: int
) -> Role:
    first: AgentSpaces = about.agents[agents[0]]
    named = len(agents) if len(agents) > 1 else 0
    return Role(
        name=first.name if len(agents) == 1 else f"{first.name}+{len(agents) - 1}",
        agents=agents,
        heads=Heads(action=first.action, symbols=symbols[agents[0]]),
        observation=first.observation,
        hears=widths[agents[0]],
        entities=first.entities,
        critic_inputs=shared + named if shared else 0,
        critic_seen=seen if shared else 0,
    )
