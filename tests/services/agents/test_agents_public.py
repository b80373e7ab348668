"""Public environments by id step as they do alone, in batches; what is not handled is refused by name."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from agents_scripted import random_player
from mpe2 import simple_spread_v3

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.services.agents.environments import gymnasium as by_id
from tutelage.services.agents.environments import pettingzoo as by_path
from tutelage.services.agents.environments.base import Continuous, Discrete
from tutelage.services.agents.environments.spaces import acting, seeing

FLAT = ["minigrid.wrappers:ImgObsWrapper"]


def test_a_gymnasium_environment_steps_as_it_does_alone() -> None:
    ours = by_id.build("gymnasium:CartPole-v1", num=3, seed=0)
    assert ours is not None
    observation = ours.reset()
    alone = [gymnasium.make("CartPole-v1", disable_env_checker=True) for _ in range(3)]
    seen = [each.reset(seed=seed)[0] for each, seed in zip(alone, ours._seeds, strict=True)]
    rng, num_ended = np.random.default_rng(0), 0
    for _ in range(60):
        np.testing.assert_array_equal(np.stack(seen), observation.seen[0])
        actions = rng.integers(2, size=3)
        step = ours.step((actions,))
        for copy, (each, action) in enumerate(zip(alone, actions, strict=True)):
            seen[copy], reward, terminated, truncated, _ = each.step(action)
            assert (reward, terminated, truncated) == (
                step.rewards[copy, 0],
                step.terminated[copy],
                step.truncated[copy],
            )
            if terminated:
                np.testing.assert_array_equal(seen[copy], step.last.seen[0][copy])
                seen[copy] = each.reset(seed=ours._seeds[copy])[0]
                num_ended += 1
        observation = step.observation
    assert num_ended > 3


def test_facts_of_a_public_environment_are_read_from_it() -> None:
    about = by_id.build("CartPole-v1", num=1, seed=0).about
    assert (about.id, about.max_steps, about.agents[0].observation) == ("CartPole-v1", 500, 4)
    assert about.agents[0].action == Discrete(num=2)
    assert about.version == f"gymnasium {gymnasium.__version__}"
    assert about.success == "the return is at least 475, its reward_threshold"
    assert by_id.build("CartPole-v1", num=1, seed=0, success_return=100).about.success == "the return is at least 100"


def test_the_time_limit_truncates_and_is_told_apart_from_the_end() -> None:
    ours = by_id.build("Pendulum-v1", num=2, seed=0, max_steps=5)
    assert ours.about.agents[0].action == Continuous(low=(-2.0,), high=(2.0,))
    ours.reset()
    flags = []
    for _ in range(5):
        step = ours.step((np.zeros((2, 1), np.float32),))
        flags.append((step.terminated.any(), step.truncated.all()))
    assert flags == [(False, False)] * 4 + [(False, True)]


def test_minigrid_is_known_by_its_id_and_flattened_by_a_wrapper() -> None:
    ours = by_id.build("MiniGrid-Empty-5x5-v0", num=2, seed=0, wrappers=FLAT)
    assert ours.about.agents[0].observation == 7 * 7 * 3
    assert ours.about.version.startswith("minigrid ")
    with pytest.raises(InvalidSpec, match="shows a Dict space, which is not handled"):
        by_id.build("MiniGrid-Empty-5x5-v0", num=1, seed=0)


def test_a_pettingzoo_environment_steps_as_it_does_alone() -> None:
    ours = by_path.build("mpe2.simple_spread_v3", num=2, seed=0, N=2)
    observation = ours.reset()
    alone = [simple_spread_v3.parallel_env(N=2) for _ in range(2)]
    seen = [each.reset(seed=seed)[0] for each, seed in zip(alone, ours._seeds, strict=True)]
    rng = np.random.default_rng(0)
    for moment in range(25):
        for agent, name in enumerate(("agent_0", "agent_1")):
            np.testing.assert_array_equal(np.stack([each[name] for each in seen]), observation.seen[agent])
        actions = rng.integers(5, size=(2, 2))
        step = ours.step(tuple(actions.T))
        for copy, each in enumerate(alone):
            seen[copy], rewards, *_ = each.step(dict(zip(("agent_0", "agent_1"), actions[copy], strict=True)))
            np.testing.assert_array_equal(np.array(list(rewards.values()), np.float32), step.rewards[copy])
        assert step.truncated.all() == (moment == 24)
        observation = step.observation
    assert step.last.plays is None


@pytest.mark.parametrize(
    ("build", "name", "kwargs"),
    [
        (by_id.build, "CartPole-v1", {}),
        (by_id.build, "MiniGrid-DoorKey-5x5-v0", {"wrappers": FLAT}),
        (by_path.build, "mpe2.simple_speaker_listener_v4", {}),
    ],
)
def test_a_restored_public_environment_goes_on_alike(build: Any, name: str, kwargs: dict[str, Any]) -> None:
    first, player = build(name, num=3, seed=0, **kwargs), random_player(0)
    first.reset()
    for _ in range(33):
        first.step(player(first))
    second = build(name, num=3, seed=9, **kwargs)
    second.load_state_dict(first.state_dict())
    assert first.keeps_state
    for _ in range(40):
        actions = player(first)
        one, other = first.step(actions), second.step(actions)
        for mine, theirs in zip(one.observation.seen, other.observation.seen, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        np.testing.assert_array_equal(one.rewards, other.rewards)


@pytest.mark.parametrize(
    ("build", "name"), [(by_id.build, "gymnasium:Pendulum-v1"), (by_path.build, "mpe2.simple_spread_v3")]
)
def test_a_watched_public_environment_steps_as_one_in_this_process(build: Any, name: str) -> None:
    here, there = build(name, num=2, seed=3), build(name, num=2, seed=3, supervised=True)
    player = random_player(0)
    assert here.about == there.about
    np.testing.assert_array_equal(here.reset().seen[0], there.reset().seen[0])
    for _ in range(30):
        actions = player(here)
        one, other = here.step(actions), there.step(actions)
        np.testing.assert_array_equal(one.observation.seen[0], other.observation.seen[0])
        np.testing.assert_array_equal(one.rewards, other.rewards)
    there.close()


def test_names_that_nobody_knows_are_left_to_others_or_refused_with_the_nearest() -> None:
    assert by_id.build("CartPoll-v1", num=1, seed=0) is None
    assert by_path.build("no.such.module", num=1, seed=0) is None
    assert by_path.build("CartPole-v1", num=1, seed=0) is None
    with pytest.raises(UnknownName, match="Did you mean 'CartPole-v1'"):
        by_id.build("gymnasium:CartPoll-v1", num=1, seed=0)
    with pytest.raises(UnknownName, match=r"no module 'mpe2\.simple_sprea'"):
        by_path.build("pettingzoo:mpe2.simple_sprea", num=1, seed=0)


def test_settings_an_environment_does_not_take_are_refused() -> None:
    with pytest.raises(InvalidSpec, match="'CartPole-v1' cannot be made"):
        by_id.build("CartPole-v1", num=1, seed=0, gravitation=3)
    with pytest.raises(InvalidSpec, match=r"'mpe2\.simple_spread_v3' cannot be made"):
        by_path.build("mpe2.simple_spread_v3", num=1, seed=0, M=2)
    with pytest.raises(InvalidSpec, match=r"wrapper 'gymnasium\.wrappers:NoSuch' cannot be applied"):
        by_id.build("CartPole-v1", num=1, seed=0, wrappers=["gymnasium.wrappers:NoSuch"])


SPACES = gymnasium.spaces


@pytest.mark.parametrize(
    ("space", "value", "numbers"),
    [
        (SPACES.Box(0, 255, (2, 2), np.uint8), np.array([[1, 2], [3, 4]], np.uint8), [1, 2, 3, 4]),
        (SPACES.Discrete(3, start=1), 3, [0, 0, 1]),
        (SPACES.MultiDiscrete([2, 3]), np.array([1, 0]), [0, 1, 1, 0, 0]),
        (SPACES.MultiBinary(2), np.array([0, 1]), [0, 1]),
    ],
)
def test_observations_become_numbers(space: Any, value: Any, numbers: list[float]) -> None:
    handled = seeing(space, environment="x")
    assert handled.size == len(numbers)
    assert handled.encode(value).tolist() == numbers
    assert handled.encode(value).dtype == np.float32


@pytest.mark.parametrize("value", [4, 0, 1.5])
def test_a_discrete_observation_outside_its_space_is_an_error(value: Any) -> None:
    with pytest.raises(TypeError, match="an observation is"):
        seeing(SPACES.Discrete(3, start=1), environment="x").encode(value)


@pytest.mark.parametrize(
    "space",
    [
        SPACES.Dict({"a": SPACES.Discrete(2)}),
        SPACES.Tuple([SPACES.Discrete(2)]),
        SPACES.Text(3),
        SPACES.Discrete(5000),
    ],
)
def test_observations_that_are_not_handled_are_refused_with_what_is(space: Any) -> None:
    with pytest.raises(InvalidSpec) as refused:
        seeing(space, environment="x")
    assert "'x'" in refused.value.message
    assert refused.value.hint


def test_actions_are_clipped_shaped_and_counted_from_their_start() -> None:
    bounded = acting(SPACES.Box(-1, 1, (2, 1), np.float32), environment="x")
    assert bounded.decode([3.0, -0.5]).tolist() == [[1.0], [-0.5]]
    assert acting(SPACES.Discrete(3, start=2), environment="x").decode(np.int64(1)) == 3


@pytest.mark.parametrize(
    "space",
    [SPACES.Box(-np.inf, np.inf, (1,), np.float32), SPACES.MultiDiscrete([2, 2]), SPACES.Box(0, 3, (1,), np.int64)],
)
def test_actions_that_are_not_handled_are_refused(space: Any) -> None:
    with pytest.raises(InvalidSpec, match="'x' takes actions"):
        acting(space, environment="x")
