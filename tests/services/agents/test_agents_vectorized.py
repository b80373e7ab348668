"""What every environment of our own keeps to: copies apart, episodes that begin by themselves, state that restores."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from agents_scripted import random_player
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.core.errors import DamagedFile, InvalidSpec
from tutelage.services.agents.environments.base import Discrete, Observation
from tutelage.services.agents.environments.foraging import Foraging
from tutelage.services.agents.environments.four_rooms import FourRooms
from tutelage.services.agents.environments.key_door import KeyDoor
from tutelage.services.agents.environments.orders import Announcement, Dispatch
from tutelage.services.agents.environments.referential_game import ReferentialGame
from tutelage.services.agents.environments.simple_reference import SimpleReference
from tutelage.services.agents.environments.simple_spread import SimpleSpread
from tutelage.services.agents.environments.speaker_listener import SpeakerListener
from tutelage.services.agents.environments.switch_riddle import SwitchRiddle
from tutelage.services.agents.environments.vectorized import Adjustable

TASKS = [
    Announcement,
    Dispatch,
    Foraging,
    FourRooms,
    KeyDoor,
    ReferentialGame,
    SimpleReference,
    SimpleSpread,
    SpeakerListener,
    SwitchRiddle,
]
NUM, STEPS = 5, 40
every_task = pytest.mark.parametrize("task", TASKS)


def parts(observation: Observation) -> list[Any]:
    masks = [observation.plays, observation.speaks, observation.hears, *(observation.allowed or ())]
    return [*observation.seen, *(mask for mask in masks if mask is not None)]


def assert_same(first: Observation, second: Observation, copies: Any = slice(None)) -> None:
    for one, other in zip(parts(first), parts(second), strict=True):
        np.testing.assert_array_equal(one[copies], other[copies])


@every_task
def test_what_is_seen_has_the_declared_shapes(task: Any) -> None:
    environment = task(NUM, seed=0)
    player, observation = random_player(0), environment.reset()
    for _ in range(STEPS):
        for agent, seen in zip(environment.about.agents, observation.seen, strict=True):
            assert seen.shape == (NUM, agent.observation)
            assert seen.dtype == np.float32
            assert np.isfinite(seen).all()
        for agent, allowed in zip(environment.about.agents, observation.allowed or (), strict=False):
            assert allowed is None or allowed.shape == (NUM, agent.action.num)
        step = environment.step(player(environment))
        assert step.rewards.shape == (NUM, len(environment.about.agents))
        assert step.rewards.dtype == np.float32
        assert {mask.dtype for mask in (step.terminated, step.truncated, step.succeeded)} == {np.dtype(bool)}
        assert not (step.terminated & step.truncated).any()
        assert (step.last is not None) == bool((step.terminated | step.truncated).any())
        observation = step.observation


@every_task
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000), before=st.integers(0, 30))
def test_a_restored_environment_goes_on_alike(task: Any, seed: int, before: int) -> None:
    first, player = task(NUM, seed=seed), random_player(seed)
    first.reset()
    for _ in range(before):
        first.step(player(first))
    second = task(NUM, seed=seed + 1)
    second.load_state_dict(first.state_dict())
    for _ in range(STEPS):
        actions = player(first)
        one, other = first.step(actions), second.step(actions)
        assert_same(one.observation, other.observation)
        np.testing.assert_array_equal(one.rewards, other.rewards)
        np.testing.assert_array_equal(one.succeeded, other.succeeded)


@every_task
def test_a_kept_state_does_not_move_with_the_environment(task: Any) -> None:
    environment, player = task(NUM, seed=0), random_player(0)
    environment.reset()
    kept = environment.state_dict()
    before = {name: np.array(kept[name]) for name in environment.STATE}
    for _ in range(3):
        environment.step(player(environment))
    for name, value in before.items():
        np.testing.assert_array_equal(kept[name], value)


@every_task
def test_copies_do_not_touch_one_another(task: Any) -> None:
    """Within an episode: what one copy does leaves the others' steps as they were."""
    first, second, player = task(NUM, seed=3), task(NUM, seed=3), random_player(1)
    observations = first.reset(), second.reset()
    assert_same(*observations)
    for _ in range(first.about.max_steps - 1):
        actions = player(first)
        altered = tuple(None if action is None else action.copy() for action in actions)
        for agent, action in zip(first.about.agents, altered, strict=True):
            if action is not None:
                assert isinstance(agent.action, Discrete)
                action[0] = (action[0] + 1) % agent.action.num
        one, other = first.step(actions), second.step(altered)
        if one.last is not None or other.last is not None:
            return
        assert_same(one.observation, other.observation, slice(1, None))
        np.testing.assert_array_equal(one.rewards[1:], other.rewards[1:])


@every_task
def test_the_time_limit_truncates_and_begins_anew(task: Any) -> None:
    environment = task(2, seed=0)
    environment.reset()
    environment.elapsed[:] = [environment.about.max_steps - 1, 0]
    step = environment.step(
        tuple(None if agent.action is None else np.zeros(2, int) for agent in environment.about.agents)
    )
    assert (step.terminated | step.truncated).tolist() == [True, False] or task is ReferentialGame
    assert step.last is not None
    assert environment.elapsed.tolist()[0] == 0


@every_task
def test_a_scene_is_plain_json(task: Any) -> None:
    environment = task(2, seed=0)
    environment.reset()
    drawn = environment.scene(1)
    assert json.loads(json.dumps(drawn, allow_nan=False)) == drawn
    left, bottom, right, top = drawn["bounds"]
    assert left < right
    assert bottom < top
    assert drawn["shapes"]


@every_task
def test_equal_seeds_give_equal_episodes_and_others_do_not(task: Any) -> None:
    first, same, other = task(50, seed=1), task(50, seed=1), task(50, seed=2)
    one = parts(first.reset())
    assert all(map(np.array_equal, one, parts(same.reset())))
    assert not all(map(np.array_equal, one, parts(other.reset())))


@pytest.mark.parametrize("task", [each for each in TASKS if isinstance(each(1, seed=0), Adjustable)])
def test_difficulty_moves_with_the_next_episodes_and_is_kept(task: Any) -> None:
    environment = task(NUM, seed=0)
    before = environment.reset()
    environment.difficulty = 0.0
    assert_same(before, environment.observe())
    restored = task(NUM, seed=0)
    restored.load_state_dict(environment.state_dict())
    assert restored.difficulty == 0.0
    assert_same(environment.reset(), restored.reset())


@pytest.mark.parametrize(
    ("task", "kwargs"),
    [
        (SpeakerListener, {"difficulty": 0.5}),
        (SpeakerListener, {"damping": 0.5}),
        (SpeakerListener, {"goal_shift": 1}),
        (SimpleReference, {"action_map": [0, 2, 1, 3, 4]}),
        (SimpleSpread, {"num_agents": 2}),
        (FourRooms, {"max_steps": 50}),
        (KeyDoor, {"size": 6}),
        (Foraging, {"num_food": 1}),
        (ReferentialGame, {"difficulty": 0.0}),
    ],
)
def test_a_task_that_is_not_the_measured_one_names_no_references(task: Any, kwargs: dict[str, Any]) -> None:
    assert task(1, seed=0).about.references
    assert task(1, seed=0, **kwargs).about.references == {}


def test_a_state_of_another_size_is_refused_by_name() -> None:
    kept = SpeakerListener(4, seed=0).state_dict()
    with pytest.raises(DamagedFile, match=r"speaker_listener has \(4, 3, 2\) for 'landmarks' where \(5, 3, 2\)"):
        SpeakerListener(5, seed=0).load_state_dict(kept)


@pytest.mark.parametrize(
    ("task", "kwargs", "message"),
    [
        (SpeakerListener, {"difficulty": 1.5}, "difficulty must be from 0 to 1, got 1.5"),
        (SpeakerListener, {"damping": 1.0}, "damping must be from 0 to below 1, got 1.0"),
        (SpeakerListener, {"action_map": [0, 1]}, "action_map must list 5 actions from 0 to 4"),
        (SpeakerListener, {"goal_shift": 3}, "goal_shift must be from 0 to 2, got 3"),
        (SimpleSpread, {"num_agents": 1}, "num_agents must be from 2 to 8, got 1"),
        (KeyDoor, {"size": 4}, "size must be from 5 to 32, got 4"),
        (FourRooms, {"max_steps": 0}, "max_steps must be at least 1, got 0"),
        (Foraging, {"num_food": 9}, "num_food must be from 1 to 4, got 9"),
        (ReferentialGame, {"num_candidates": 10}, "num_candidates must be from 2 to 9, got 10"),
        (SwitchRiddle, {"num_prisoners": 5}, "num_prisoners must be from 3 to 4, got 5"),
        (Dispatch, {"num_workers": 1}, "num_workers must be from 2 to 8, got 1"),
        (Dispatch, {"cost": 0.2}, "cost must be from 0.5 to 1, got 0.2"),
    ],
)
def test_settings_out_of_bounds_are_refused(task: Any, kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSpec, match=message.replace("(", r"\(")):
        task(1, seed=0, **kwargs)


def test_an_environment_without_copies_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="at least 1 copy, got 0"):
        Announcement(0, seed=0)
