"""Rewards of a team, roles, difficulty, and when a level is regained: tables of rules."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.services.agents.communication.plan import ChannelPlan
from tutelage.services.agents.difficulty import HIGH, STEP, WINDOW, Difficulty
from tutelage.services.agents.environments.base import About, AgentSpaces, Discrete, Link
from tutelage.services.agents.modes.regain import crossing, level_of
from tutelage.services.agents.teams.rewards import mixed
from tutelage.services.agents.teams.roles import duties_of

OWN = np.array([[1.0, 3.0]], np.float32)


@pytest.mark.parametrize(("weight", "rewards"), [(0.0, [1.0, 3.0]), (1.0, [2.0, 2.0]), (0.5, [1.5, 2.5])])
def test_the_weight_moves_rewards_from_an_agents_own_to_its_teams(weight: float, rewards: list[float]) -> None:
    assert mixed(OWN, weight).tolist() == [rewards]


def test_the_team_is_those_who_still_play() -> None:
    assert mixed(OWN, 1.0, np.array([[False, True]])).tolist() == [[3.0, 3.0]]
    assert mixed(OWN, 1.0, np.array([[False, False]])).tolist() == [[0.0, 0.0]]


def about(*agents: AgentSpaces) -> About:
    return About(id="task", version="1", agents=agents, max_steps=1, success="any")


def agent(name: str, *, sees: int = 4, acts: int | None = 2) -> AgentSpaces:
    return AgentSpaces(name=name, observation=sees, action=None if acts is None else Discrete(num=acts))


def plan(num: int, speakers: tuple[int, ...], hearers: tuple[int, ...]) -> ChannelPlan:
    return ChannelPlan(link=Link(words=2, speakers=speakers, hearers=hearers), num_agents=num)


@pytest.mark.parametrize(
    ("agents", "link", "roles"),
    [
        ([agent("speaker", acts=None), agent("listener")], ((0,), (1,)), ["coordinator", "specialist"]),
        ([agent("a"), agent("b"), agent("c")], ((0, 1, 2), (0, 1, 2)), ["worker"] * 3),
        ([agent("a"), agent("b", sees=9), agent("c")], None, ["worker", "specialist", "worker"]),
        (
            [agent("a"), agent("hub"), agent("b")],
            ((0, 1, 2), (0, 1, 2)),
            ["worker"] * 3,
        ),
        ([agent("alone")], None, ["worker"]),
    ],
)
def test_a_role_is_read_off_what_an_agent_sees_may_do_and_hears(
    agents: list[AgentSpaces], link: tuple[tuple[int, ...], tuple[int, ...]] | None, roles: list[str]
) -> None:
    channel = plan(len(agents), *link) if link else None
    assert list(duties_of(about(*agents), channel).values()) == roles


def test_the_one_that_hears_and_speaks_among_many_is_the_hub() -> None:
    agents = [agent("a"), agent("b"), agent("hub"), agent("c"), agent("d")]
    channel = plan(5, (0, 1, 2), (2, 3, 4))
    assert duties_of(about(*agents), channel)["hub"] == "communication_hub"


def test_difficulty_rises_while_success_is_easy_and_falls_while_it_is_rare() -> None:
    made = Difficulty(complexity="basic")
    assert not made.ended([True] * (WINDOW - 1))
    assert made.ended([True])
    assert made.value == STEP
    assert made.success_rate is None  # a window tells of one difficulty alone
    assert not made.ended([True, False, True, False, True] * 20)
    assert made.success_rate == 0.6
    assert made.ended([False] * WINDOW)
    assert made.value == 0.0


def test_difficulty_stays_within_its_complexity() -> None:
    made = Difficulty(complexity="basic")
    made.ended([True] * WINDOW * 20)
    assert made.value == 0.34
    made.ended([False] * WINDOW * 20)
    assert made.value == 0.0
    assert 0.0 < HIGH < 1.0


def test_a_restored_difficulty_goes_on() -> None:
    first = Difficulty(complexity="advanced")
    first.ended([True] * (WINDOW + 40))
    second = Difficulty(complexity="advanced")
    second.load_state_dict(first.state_dict())
    assert (second.value, list(second.recent)) == (first.value, list(first.recent))


@pytest.mark.parametrize(("former", "floor", "level"), [(500.0, 20.0, 404.0), (-8.0, -30.0, -12.4), (-8.0, -8.0, -8.0)])
def test_a_level_is_a_share_of_the_way_from_untrained_to_former(former: float, floor: float, level: float) -> None:
    assert level_of(former, floor=floor, threshold=0.8) == pytest.approx(level)


@pytest.mark.parametrize(
    ("returns", "steps"),
    [([0, 5, 6, 7], 20), ([0, 5, 1, 7], 40), ([9, 9], 10), ([0, 0, 0], None), ([], None), ([5, 0], None)],
)
def test_a_level_is_reached_where_it_is_kept(returns: list[float], steps: int | None) -> None:
    made = crossing([10 * (i + 1) for i in range(len(returns))], returns, level=5.0, budget=100)
    assert made.steps == steps
    assert made.at_least == (100 if steps is None else steps)
