"""What a spec of `agents` may say, what it counts, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from tutelage.core.errors import InvalidSpec, NotYet, TutelageError, UnknownName
from tutelage.services.agents.building import roles_for, speech_of, team_of
from tutelage.services.agents.config import PRESETS, AgentsConfig
from tutelage.services.agents.config.checks import widths_of
from tutelage.services.agents.config.sizes import arithmetic, layer_counts, total
from tutelage.services.agents.environments.base import About, AgentSpaces, Discrete, Entities

ATTENTION = {"agent_architecture": "transformer", "environment": {"id": "CartPole-v1"}}
SIZES: list[tuple[dict[str, Any], int, int, int]] = [
    ({}, 18, 5, 52_613),
    (ATTENTION, 11, 6, 96_230),  # eleven numbers seen; five actions and a sixth output beside them
    (ATTENTION, 11, 5, 96_101),
    ({"hidden_size": 64, "num_layers": 2}, 4, 2, 4_610),
    ({"policy": "recurrent", "hidden_size": 32, "num_layers": 2}, 4, 2, 4 * 32 + 32 + 2 * (32 * 96 + 96) + 66),
]


def config_of(**settings: Any) -> AgentsConfig:
    return AgentsConfig.model_validate(settings)


@pytest.mark.parametrize(("settings", "inputs", "outputs", "expected"), SIZES)
def test_an_actor_counts_what_its_layers_add_up_to(
    settings: dict[str, Any], inputs: int, outputs: int, expected: int
) -> None:
    config = config_of(**settings)
    counts = layer_counts(widths_of(config, inputs=inputs, outputs=outputs))
    assert total(counts) == expected
    about = _about(inputs, outputs)
    speech = speech_of(config, about, [0], num_copies=2)
    team = team_of(config, roles_for(config, about, speech), [0], num_copies=2)
    assert team.num_parameters()["one"]["actor"] == expected


def test_entities_are_counted_with_a_layer_of_their_own() -> None:
    config = config_of(**ATTENTION)
    about = _about(8, 5, Entities(start=2, num=3, size=2))
    roles = roles_for(config, about, speech_of(config, about, [0], num_copies=2))
    counts = layer_counts(widths_of(config, inputs=8, outputs=5, entity_size=2, num_entities=3))
    assert team_of(config, roles, [0], num_copies=2).num_parameters()["one"]["actor"] == total(counts)


def test_an_actor_that_is_too_large_is_refused_with_the_arithmetic() -> None:
    with pytest.raises(InvalidSpec, match="more than max_parameters 100,000: layer 1 2,560") as error:
        config_of(environment={"id": "CartPole-v1"}, hidden_size=512, num_layers=3)
    assert "= 528,898" in error.value.message
    assert config_of(hidden_size=512, num_layers=3, max_parameters=528_898).hidden_size == 512


def test_an_actor_of_an_environment_of_unknown_size_is_refused_once_it_is_known() -> None:
    config, about = config_of(max_parameters=5_000, hidden_size=32), _about(200, 5)
    with pytest.raises(InvalidSpec, match="of one has more than"):
        roles_for(config, about, speech_of(config, about, [0], num_copies=1))


REFUSED: list[tuple[dict[str, Any], type[TutelageError], str]] = [
    ({"agent_architecture": "planning"}, NotYet, "search"),
    ({"agent_architecture": "hierarchical"}, NotYet, "options"),
    ({"agent_architecture": "hybrid"}, NotYet, "planning"),
    ({"training_mode": "skill_acquisition"}, NotYet, "options"),
    ({"coordination_strategy": "auction"}, NotYet, "bids"),
    ({"coordination_strategy": "consensus"}, NotYet, "agreement"),
    ({"environment": {"id": "LunarLander-v3"}}, NotYet, "box2d"),
    ({"agent_architecture": "reactiv"}, UnknownName, "reactive"),
    ({"policy": "lstm"}, UnknownName, "recurrent"),
    ({"preset": "cartpol"}, UnknownName, "cartpole"),
    ({"agent_architecture": "transformer", "policy": "mlp"}, InvalidSpec, "attention"),
    ({"batch_size": 4096}, InvalidSpec, "rollout"),
    ({"policy": "recurrent", "num_copies": 2, "batch_size": 8, "max_parameters": 200_000}, InvalidSpec, "sequences"),
    ({"seeds": [3, 3]}, InvalidSpec, "different"),
]


@pytest.mark.parametrize(("settings", "kind", "words"), REFUSED)
def test_what_cannot_be_is_refused_with_the_reason(
    settings: dict[str, Any], kind: type[TutelageError], words: str
) -> None:
    with pytest.raises(kind) as error:
        config_of(**settings)
    assert words in f"{error.value.message} {error.value.hint}"


def test_the_names_of_the_original_system_are_kept() -> None:
    config = config_of(mode="reward", max_episodes=50)
    assert (config.training_mode, config.max_episodes, config.hidden_size, config.num_layers) == ("reward", 50, 128, 4)
    assert config_of(focus="reward").training_mode == "reward"


@pytest.mark.parametrize(("seeds", "expected"), [(1, [7]), (3, [7, 8, 9]), ([5, 2], [5, 2])])
def test_seeds_are_counted_from_the_operations_or_listed(seeds: int | list[int], expected: list[int]) -> None:
    assert config_of(seeds=seeds).seed_list(7) == expected


@pytest.mark.parametrize("name", PRESETS)
def test_own_settings_win_over_a_preset(name: str) -> None:
    assert config_of(preset=name, learning_rate=0.123).learning_rate == 0.123


def test_the_arithmetic_reads_as_a_sum() -> None:
    assert arithmetic((("layer 1", 1200), ("outputs", 34))) == "layer 1 1,200 + outputs 34 = 1,234"


def _about(inputs: int, outputs: int, entities: Entities | None = None) -> About:
    spaces = AgentSpaces(name="one", observation=inputs, action=Discrete(num=outputs), entities=entities)
    return About(id="Some-v0", version="1", agents=(spaces,), max_steps=5, success="it ends")
