"""From a config to what is trained: environments, channels, networks, the training layer's plan."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator

from tutelage.core.errors import InvalidSpec
from tutelage.services.agents.communication.interventions import AS_SAID, Intervention
from tutelage.services.agents.communication.making import channels_of, plan_of
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.config.assignment import assignment_of
from tutelage.services.agents.config.checks import refuse_larger, widths_of
from tutelage.services.agents.environments.assigned import Assigned
from tutelage.services.agents.environments.base import About
from tutelage.services.agents.environments.fleet import Fleet
from tutelage.services.agents.environments.registry import build
from tutelage.services.agents.policies.bodies import Shape
from tutelage.services.agents.policies.roles import Role, roles_of
from tutelage.services.agents.policies.team import Build, Team
from tutelage.services.agents.ppo.speech import Speech
from tutelage.training import Clip, Plan, seed_of

ENVIRONMENT, WEIGHTS, CHOICES, CHANNEL = 1, 2, 3, 4
"""Streams of randomness of one seed, each from a seed of its own."""
TUNABLE_NAMES = {"learning_rate": "lr"}
"""Names of ours -> the training layer's."""
OWN_TUNABLES = (
    "entropy_coefficient",
    "exploration_rate",
    "clip",
    "value_coefficient",
    "signalling_weight",
    "listening_weight",
)
"""Settings of ours that may be changed while it trains."""


def fleet_of(config: AgentsConfig, seeds: Sequence[int], *, num_copies: int, stream: int = ENVIRONMENT) -> Fleet:
    """Return the environments of several seeds; `stream` tells those of one purpose from those of another."""
    environment = config.environment
    made = [
        build(environment.id, num=num_copies, seed=seed_of(seed, stream), kwargs=environment.kwargs) for seed in seeds
    ]
    check_agents(made[0].about, config)
    assignment = assignment_of(config)
    if assignment is None:
        return Fleet(made)
    every, weight = assignment.every, assignment.goal_weight
    return Fleet([Assigned(each, every=every, goal_weight=weight) for each in made])


def speech_of(
    config: AgentsConfig,
    about: About,
    seeds: Sequence[int],
    *,
    num_copies: int,
    intervention: Intervention = AS_SAID,
) -> Speech:
    """Return the channels of several seeds; none where the task has no link, or the config no protocol for it."""
    plan = plan_of(about, config.communication_protocols, config.channel)
    streams = [seed_of(seed, CHANNEL) for seed in seeds]
    channels = channels_of(plan, streams, num_copies=num_copies, intervention=intervention)
    return Speech(about, channels, num_copies=num_copies, num_seeds=len(seeds))


def roles_for(config: AgentsConfig, about: About, speech: Speech) -> tuple[Role, ...]:
    """Return the roles of a task. Raises InvalidSpec, with the arithmetic, for an actor that is too large."""
    roles = roles_of(
        about,
        symbols=speech.symbols,
        widths=speech.widths,
        shares=config.share_parameters,
        centralized=config.coordination_strategy != "independent",
    )
    for role in roles:
        entities = role.entities
        check_context(role, config)
        widths = widths_of(
            config,
            inputs=role.inputs,
            outputs=role.heads.outputs,
            entity_size=entities.size if entities else 0,
            num_entities=entities.num if entities else 0,
        )
        refuse_larger(widths, config.max_parameters, role=role.name)
    return roles


def team_of(config: AgentsConfig, roles: Sequence[Role], seeds: Sequence[int], *, num_copies: int) -> Team:
    """Return the networks, each seed's weights drawn by a generator of its own."""
    return Team(roles, build_of(config), generators_of(seeds, WEIGHTS), num_copies=num_copies)


def generators_of(seeds: Sequence[int], stream: int) -> list[Generator]:
    """Return one generator a seed for one purpose."""
    return [torch.Generator().manual_seed(seed_of(seed, stream)) for seed in seeds]


def build_of(config: AgentsConfig) -> Build:
    """Return how the networks are shaped."""
    return Build(
        actor=_shape(config, config.hidden_size, config.num_layers),
        critic=_shape(
            config, config.critic_hidden_size or config.hidden_size, config.critic_num_layers or config.num_layers
        ),
        normalizes_inputs=config.normalize_observations,
    )


def training_plan(config: AgentsConfig) -> Plan:
    """Return how the weights are changed; `max_steps` are environment steps of a seed, or episodes."""
    return Plan(
        max_steps=config.max_steps or config.max_episodes,
        optimizer={"name": "adam", "lr": config.learning_rate, "eps": 1e-5, "weight_decay": config.weight_decay},
        schedule=_schedule(config),
        freeze=tuple(config.freeze_layers),
        clip=Clip(norm=config.gradient_clip, is_stacked=True),
        objective="reward",
        direction="maximize",
        tunable_names=TUNABLE_NAMES if config.max_steps else {**TUNABLE_NAMES, "max_episodes": "max_steps"},
    )


def check_agents(about: About, config: AgentsConfig) -> None:
    """Raise InvalidSpec for an environment with more agents than the config allows."""
    if len(about.agents) > config.max_agents:
        raise InvalidSpec(
            f"{about.id} has {len(about.agents)} agents, more than max_agents {config.max_agents}",
            hint="raise max_agents, or make the environment with fewer",
        )


def check_task(config: AgentsConfig, about: About) -> None:
    """Raise InvalidSpec for a task that a mode cannot be shown on."""
    mode = config.training_mode
    if mode == "coordination" and len(about.agents) == 1:
        raise InvalidSpec(f"training_mode 'coordination' needs a team, and {about.id} has one agent")
    if mode in ("multi_agent_collaboration", "communication_protocols") and about.link is None:
        raise InvalidSpec(
            f"training_mode {mode!r} needs agents that can speak, and {about.id} has no link between them",
            hint="take coordination, or a task such as speaker_listener",
        )


def check_context(role: Role, config: AgentsConfig) -> None:
    """Raise InvalidSpec where attention would read more tokens than the config allows."""
    tokens = 1 + (role.entities.num if role.entities else 0)
    if config.kind == "attention" and tokens > config.max_context_length:
        raise InvalidSpec(
            f"{role.name} lists {tokens - 1} entities: {tokens} tokens, more than max_context_length "
            f"{config.max_context_length}",
            hint="raise it",
        )


def _shape(config: AgentsConfig, width: int, layers: int) -> Shape:
    return Shape(
        kind=config.kind,
        inputs=1,
        width=width,
        layers=layers,
        heads=config.num_heads,
        head_width=config.head_width,
        ffn=config.ffn_size,
        activation=config.activation,
    )


def _schedule(config: AgentsConfig) -> dict[str, object]:
    if config.lr_schedule == "constant":
        return {"name": "constant"}
    return {"name": config.lr_schedule, "final": 0.0}
