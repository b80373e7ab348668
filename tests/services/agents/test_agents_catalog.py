"""The catalogue: every id builds what it says, the reference page tells the same, other names go where they belong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from tutelage.core.errors import InvalidSpec, TutelageError, UnknownName
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.environments.base import Discrete
from tutelage.services.agents.environments.catalog import ENVIRONMENTS, is_interactive, may_exist
from tutelage.services.agents.environments.registry import build

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "environments.md"


def row(name: str) -> list[str]:
    line = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{name}` |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_id_builds_the_task_of_that_name(name: str) -> None:
    environment = build(name, num=3, seed=0)
    assert environment.about.id == name
    assert environment.num == 3
    widest = ENVIRONMENTS[name].widest
    if widest is not None:
        agent = environment.about.agents[0]
        assert isinstance(agent.action, Discrete)
        assert widest == (agent.observation, agent.action.num)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_reference_page_says_what_the_task_is(name: str) -> None:
    about = build(name, num=1, seed=0).about
    _, agents, steps, success, channel, returns = row(name)
    told = {tuple(map(int, pair)) for pair in re.findall(r"(\d+), (\d+)", agents)}
    assert told == {
        (agent.observation, agent.action.num) for agent in about.agents if isinstance(agent.action, Discrete)
    }
    speakers = {agent.observation for agent in about.agents if agent.action is None}
    assert {int(number) for number in re.findall(r"(\d+), speaks only", agents)} == speakers
    assert int(steps) == about.max_steps
    assert success == about.success
    assert (channel == "-") if about.link is None else channel.startswith(f"{about.link.words} words")
    values = {
        word: float(value) for word, value in re.findall(r"(\w+) (-?[\d.]+)", returns) if word in about.references
    }
    assert values == {word: round(known.value, 4) for word, known in about.references.items() if word in values}
    assert set(about.references) - set(values) <= {"oracle"}


@pytest.mark.parametrize(
    ("name", "is_known"),
    [
        ("speaker_listener", True),
        ("MountainCar-v0", True),
        ("ALE/Pong-v5", True),
        ("minigrid:MiniGrid-Empty-5x5-v0", True),
        ("gymnasium:CartPole-v1", True),
        ("mpe2.simple_tag_v3", True),
        ("python:my_module:MyClass", True),
        ("http://127.0.0.1:9000", True),
        ("speaker_listner", False),
        ("cart pole", False),
        ("", False),
    ],
)
def test_names_that_cannot_exist_are_known_without_any_library(name: str, is_known: bool) -> None:
    assert may_exist(name) is is_known


def test_users_own_are_told_by_how_their_ids_begin() -> None:
    assert is_interactive("python:a:B")
    assert is_interactive("https://example.org")
    assert not is_interactive("CartPole-v1")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'speaker_listener'"):
        build("speaker_listner", num=1, seed=0)


def test_settings_that_a_task_does_not_take_are_refused() -> None:
    with pytest.raises(InvalidSpec, match="'four_rooms' cannot be built"):
        build("four_rooms", num=1, seed=0, kwargs={"rooms": 5})


@pytest.mark.parametrize(
    ("name", "types"), [("python:a:B", ["simulation"]), ("http://127.0.0.1:1", []), ("CartPole-v1", ["interactive"])]
)
def test_an_environment_of_another_type_than_asked_for_is_refused(name: str, types: list[str]) -> None:
    with pytest.raises((ValidationError, TutelageError)):
        AgentsConfig.model_validate({"environment": {"id": name}, "environment_types": types})


def test_a_users_class_is_taken_where_interactive_ones_are_asked_for() -> None:
    config = AgentsConfig.model_validate({"environment": {"id": "python:a:B"}, "environment_types": ["interactive"]})
    assert config.environment.id == "python:a:B"
