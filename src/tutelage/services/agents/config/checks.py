"""What settings must hold to together; each function raises InvalidSpec, UnknownName or NotYet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tutelage.core.errors import InvalidSpec, NotYet, unknown
from tutelage.services.agents.config.sizes import Widths, arithmetic, layer_counts, total
from tutelage.services.agents.environments.catalog import ENVIRONMENTS, is_interactive, may_exist

if TYPE_CHECKING:
    from tutelage.services.agents.config.document import AgentsConfig

LATER: Mapping[str, Mapping[str, str]] = {
    "training_mode": {
        "skill_acquisition": "a library of options",
    },
    "agent_architecture": {
        "planning": "a learned model and search",
        "hierarchical": "options and a manager",
        "hybrid": "planning where the policy is unsure",
    },
    "coordination_strategy": {
        "auction": "tasks by bids",
        "consensus": "tasks by agreement",
    },
    "environment.id": {"LunarLander-v3": "it needs box2d", "LunarLander-v2": "it needs box2d"},
}
"""Setting -> values of the design that are not built yet, and what they are; refused by name."""

KNOWN: Mapping[str, tuple[str, ...]] = {
    "training_mode": (
        "reward",
        "behavior_adaptation",
        "task_specialization",
        "coordination",
        "multi_agent_collaboration",
        "communication_protocols",
    ),
    "agent_architecture": ("reactive", "transformer"),
    "coordination_strategy": ("independent", "centralized", "hierarchical"),
    "communication_protocols": ("direct", "broadcast"),
    "environment_types": ("simulation", "interactive"),
    "backend": ("own", "sb3"),
    "policy": ("mlp", "attention", "recurrent"),
}
"""Setting -> what there is."""


def check_choice(key: str, value: str) -> None:
    """The value is one that there is. Raises NotYet for one of the design, UnknownName for any other."""
    planned = LATER.get(key, {})
    if value in planned:
        built = KNOWN.get(key, ())
        raise NotYet(
            f"{key} {value!r} ({planned[value]}) is not built yet",
            hint=f"built: {', '.join(built)}" if built else f"leave {key} out",
        )
    if value not in KNOWN[key]:
        raise unknown(key, value, [*KNOWN[key], *planned])


def check_environment(config: AgentsConfig) -> None:
    """The environment is ours, or one that somebody else may know."""
    name = config.environment.id
    if name in LATER["environment.id"]:
        raise NotYet(f"the environment {name!r} is not built yet: {LATER['environment.id'][name]}")
    if not may_exist(name):
        raise unknown("environment", name, ENVIRONMENTS)
    kind = "interactive" if is_interactive(name) else "simulation"
    if kind not in config.environment_types:
        raise InvalidSpec(
            f"the environment {name!r} is of the type {kind!r}, environment_types are {config.environment_types}",
            hint=f"set environment_types to ['{kind}']; python:module:Class and http://... are interactive",
        )


def check_mode(config: AgentsConfig) -> None:
    """The mode has what its exit test needs."""
    mode = config.training_mode
    if mode in ("behavior_adaptation", "task_specialization") and config.base_model is None:
        raise InvalidSpec(f"training_mode {mode!r} needs a base_model", hint="name a finished operation's artifacts")
    if mode in ("multi_agent_collaboration", "communication_protocols") and not config.communication_protocols:
        raise InvalidSpec(
            f"training_mode {mode!r} needs a channel, got communication_protocols []",
            hint='communication_protocols: ["broadcast"]',
        )
    if (
        mode == "coordination"
        and "communication_protocols" in config.model_fields_set
        and config.communication_protocols
    ):
        raise InvalidSpec(
            f"training_mode 'coordination' is without a channel, got {list(config.communication_protocols)}",
            hint="leave communication_protocols out, or take multi_agent_collaboration",
        )
    if mode == "coordination" and config.coordination_strategy == "independent":
        raise InvalidSpec(
            "training_mode 'coordination' is measured against independent learners, got coordination_strategy "
            "'independent'",
            hint="take centralized",
        )


def check_policy(config: AgentsConfig) -> None:
    """Policy and architecture go together."""
    if config.policy is not None:
        check_choice("policy", config.policy)
    if config.agent_architecture == "transformer" and config.policy not in (None, "attention"):
        raise InvalidSpec(
            f"agent_architecture 'transformer' has the policy 'attention', got {config.policy!r}",
            hint="leave policy out, or take agent_architecture 'reactive'",
        )


def check_budget(config: AgentsConfig) -> None:
    """There is something to learn from in every update."""
    if config.batch_size > config.num_copies * config.rollout_steps:
        raise InvalidSpec(
            f"batch_size is {config.batch_size}, more than a rollout of num_copies x rollout_steps = "
            f"{config.num_copies} x {config.rollout_steps} = {config.num_copies * config.rollout_steps}",
            hint="lower it, or raise one of the two",
        )
    if config.kind == "recurrent" and config.num_minibatches > config.num_copies:
        raise InvalidSpec(
            f"a recurrent policy learns from whole sequences: {config.num_copies} copies cannot make "
            f"{config.num_minibatches} minibatches",
            hint="raise num_copies or batch_size",
        )
    seeds = config.seeds
    if isinstance(seeds, list) and len(set(seeds)) != len(seeds):
        raise InvalidSpec(f"seeds are not all different: {seeds}")


def check_size(config: AgentsConfig) -> None:
    """The actor fits where the environment's size is known before it is built."""
    entry = ENVIRONMENTS.get(config.environment.id)
    if entry is not None and entry.widest is not None:
        inputs, outputs = entry.widest
        refuse_larger(widths_of(config, inputs=inputs, outputs=outputs), config.max_parameters)


def widths_of(
    config: AgentsConfig, *, inputs: int, outputs: int, entity_size: int = 0, num_entities: int = 0
) -> Widths:
    """Return what an actor's count follows from."""
    return Widths(
        kind=config.kind,
        inputs=inputs,
        outputs=outputs,
        hidden=config.hidden_size,
        layers=config.num_layers,
        heads=config.num_heads,
        head_width=config.head_width,
        ffn=config.ffn_size,
        entity_size=entity_size,
        num_entities=num_entities,
    )


def refuse_larger(widths: Widths, most: int, *, role: str = "") -> None:
    """Raise InvalidSpec, with the arithmetic, for an actor of more than `most` numbers."""
    counts = layer_counts(widths)
    if total(counts) > most:
        whose = f" of {role}" if role else ""
        raise InvalidSpec(
            f"the actor{whose} has more than max_parameters {most:,}: {arithmetic(counts)}",
            hint="lower hidden_size or num_layers, or raise max_parameters",
        )
