"""The grid worlds move and look as Minigrid does, step for step; foraging keeps lbforaging's rules."""

from __future__ import annotations

from typing import Any

import gymnasium
import minigrid
import numpy as np
import pytest
from agents_scripted import at_agent, facing, least_steps, mean_return, random_player
from minigrid.core.constants import OBJECT_TO_IDX

from tutelage.services.agents.environments import grids
from tutelage.services.agents.environments.foraging import LOAD, Foraging
from tutelage.services.agents.environments.four_rooms import FourRooms
from tutelage.services.agents.environments.key_door import KeyDoor

assert minigrid.__version__

PLAIN = {"unseen": grids.UNSEEN, "empty": grids.EMPTY, "wall": grids.WALL, "goal": grids.GOAL, "key": grids.KEY}
CODES = {OBJECT_TO_IDX[name]: code for name, code in PLAIN.items()}
DOOR = OBJECT_TO_IDX["door"]
DOOR_STATES = (grids.OPEN, grids.SHUT, grids.LOCKED)


def translated(image: Any) -> Any:
    """Return Minigrid's cells (x, y, 3) in our codes."""
    codes = [
        DOOR_STATES[state] if kind == DOOR else CODES.get(kind, grids.EMPTY)
        for kind, _, state in image.reshape(-1, 3).tolist()
    ]
    return np.array(codes).reshape(image.shape[:2])


def take_over(ours: grids.GridTask, theirs: Any) -> None:
    world = theirs.unwrapped
    ours.inside[0] = translated(world.grid.encode())
    ours.position[0] = np.array(world.agent_pos) + grids.VIEW
    ours.direction[0] = world.agent_dir
    ours.carrying[0] = False


def plan(ours: KeyDoor, rng: Any) -> int:
    """Act at random, but pick up and toggle where it does something, so that the door is passed often."""
    x, y = ours.ahead()
    front = ours.grid[0, x[0], y[0]]
    if front == grids.KEY and rng.random() < 0.9:
        return grids.PICK_UP
    if front in (grids.LOCKED, grids.OPEN, grids.SHUT) and rng.random() < 0.5:
        return grids.TOGGLE
    return int(rng.choice(6, p=[0.2, 0.2, 0.45, 0.05, 0.02, 0.08]))


def compare(theirs: Any, ours: grids.GridTask, seed: int, choose: Any) -> float:
    """Step both with the same actions to the end of an episode; return its reward."""
    image = theirs.reset(seed=seed)[0]
    ours.reset()
    take_over(ours, theirs)
    observation, rng = ours.observe(), np.random.default_rng(seed)
    while True:
        expected = ours._table[translated(image["image"])].reshape(-1)
        np.testing.assert_array_equal(expected, observation.seen[0][0, :-4])
        assert observation.seen[0][0, -4:].argmax() == image["direction"]
        action = choose(ours, rng)
        image, reward, terminated, truncated, _ = theirs.step(action)
        step = ours.step((np.array([action]),))
        assert step.rewards[0, 0] == np.float32(reward)
        assert step.terminated[0] == terminated
        assert step.truncated[0] == (truncated and not terminated)
        assert step.succeeded[0] == terminated
        if terminated or truncated:
            return float(reward)
        observation = step.observation


def test_four_rooms_equals_minigrid_step_for_step() -> None:
    theirs = gymnasium.make("MiniGrid-FourRooms-v0", disable_env_checker=True)
    ours = FourRooms(1, seed=0)
    rewards = [compare(theirs, ours, seed, lambda _, rng: int(rng.choice(3, p=[0.2, 0.2, 0.6]))) for seed in range(20)]
    assert any(rewards)


def test_key_door_equals_minigrid_step_for_step() -> None:
    theirs = gymnasium.make("MiniGrid-DoorKey-8x8-v0", disable_env_checker=True, max_steps=200)
    rewards = [compare(theirs, KeyDoor(1, seed=0, max_steps=200), seed, plan) for seed in range(20)]
    assert sum(reward > 0 for reward in rewards) >= 3


def test_drawn_four_rooms_can_be_walked_through() -> None:
    ours = FourRooms(50, seed=0)
    ours.reset()
    assert (ours.inside == grids.GOAL).sum((1, 2)).tolist() == [1] * 50
    assert (distances(ours) < 1000).all()


@pytest.mark.parametrize("difficulty", [0.0, 0.5, 1.0])
def test_drawn_doors_lie_between_the_agent_and_the_goal(difficulty: float) -> None:
    ours = KeyDoor(50, seed=0, difficulty=difficulty)
    ours.reset()
    for kind in (grids.GOAL, grids.KEY, grids.LOCKED):
        assert (ours.inside == kind).sum((1, 2)).tolist() == [1] * 50
    assert (distances(ours) >= 1000).all()
    ours.grid[ours.grid == grids.LOCKED] = grids.OPEN
    assert (distances(ours) < 1000).all()


def distances(ours: grids.GridTask) -> Any:
    """Return the steps from each agent's cell to its goal, 1000 where there is no way."""
    free = (ours.grid != grids.WALL) & (ours.grid != grids.LOCKED) & (ours.grid != grids.SHUT)
    reach = np.where(ours.grid == grids.GOAL, 0, 1000)
    for _ in range(200):
        beside = np.minimum.reduce([np.roll(reach, shift, axis) for axis in (1, 2) for shift in (1, -1)])
        reach = np.where(free, np.minimum(reach, beside + 1), 1000)
    return reach[np.arange(ours.num), ours.position[:, 0], ours.position[:, 1]]


def test_easier_four_rooms_begin_nearer_the_goal() -> None:
    hard, easy = FourRooms(200, seed=0), FourRooms(200, seed=0, difficulty=0.1)
    hard.reset()
    easy.reset()
    assert np.abs(easy.position - goal(easy)).sum(1).max() <= 3
    assert np.abs(hard.position - goal(hard)).sum(1).mean() > 8


def goal(ours: grids.GridTask) -> Any:
    return np.argwhere(ours.grid == grids.GOAL)[:, 1:]


def set_up(**kept: Any) -> Foraging:
    ours = Foraging(1, seed=0)
    ours.reset()
    for name, value in kept.items():
        getattr(ours, name)[0] = value
    ours.spawned[0] = ours.food_level[0].sum()
    return ours


def test_food_is_taken_by_those_whose_levels_add_up() -> None:
    ours = set_up(food=[[3, 3], [6, 6]], food_level=[3, 1], position=[[2, 3], [3, 2]], level=[1, 2])
    alone = ours.step((np.array([LOAD]), np.array([0])))
    assert alone.rewards[0].tolist() == [0.0, 0.0]
    together = ours.step((np.array([LOAD]), np.array([LOAD])))
    assert together.rewards[0] == pytest.approx([3 * 1 / (3 * 4), 3 * 2 / (3 * 4)])
    assert ours.food_level[0].tolist() == [0, 1]


def test_nobody_moves_to_a_cell_that_two_want_or_that_is_taken() -> None:
    ours = set_up(food=[[3, 3], [6, 6]], food_level=[1, 1], position=[[1, 1], [1, 3]])
    ours.step((np.array([4]), np.array([3])))
    assert ours.position[0].tolist() == [[1, 1], [1, 3]]
    ours.step((np.array([4]), np.array([0])))
    ours.step((np.array([4]), np.array([0])))
    assert ours.position[0].tolist() == [[1, 2], [1, 3]]
    ours = set_up(food=[[3, 3], [6, 6]], food_level=[1, 1], position=[[2, 3], [0, 0]])
    ours.step((np.array([2]), np.array([1])))
    assert ours.position[0].tolist() == [[2, 3], [0, 0]]


def test_an_episode_ends_with_the_last_food_and_is_worth_one() -> None:
    ours = set_up(food=[[3, 3], [6, 6]], food_level=[2, 0], position=[[2, 3], [0, 0]], level=[2, 1])
    step = ours.step((np.array([LOAD]), np.array([0])))
    assert step.terminated[0]
    assert step.succeeded[0]
    assert step.rewards.sum() == pytest.approx(1.0)


def test_drawn_food_is_in_reach_of_one_place_at_a_time() -> None:
    ours = Foraging(300, seed=0, num_food=3)
    ours.reset()
    apart = np.abs(ours.food[:, :, None] - ours.food[:, None])
    pairs = ~np.eye(3, dtype=bool)[None]
    assert (apart.max(3)[pairs.repeat(300, 0)] > 1).all()
    assert ours.food.min() >= 1
    assert ours.food.max() <= 6


@pytest.mark.parametrize(("task", "kwargs"), [(FourRooms, {}), (KeyDoor, {"size": 5}), (Foraging, {})])
def test_evenly_drawn_actions_return_as_measured(task: Any, kwargs: dict[str, Any]) -> None:
    environment = task(800, seed=3, **kwargs)
    measured = mean_return(environment, random_player(0))[0]
    assert measured == pytest.approx(environment.about.references["random"].value, rel=0.3)


def shortest(world: grids.GridTask) -> Any:
    """Return the fewest steps of an episode from where each agent stands: key, door and goal where there are such."""
    free = np.isin(world.grid, (grids.EMPTY, grids.GOAL))
    to_goal = np.repeat(np.where(world.grid == grids.GOAL, 0, 10_000)[:, None], 4, 1)
    if isinstance(world, FourRooms):
        return at_agent(world, least_steps(free, to_goal))
    without_key = free | (world.grid == grids.KEY)
    opened = least_steps(without_key | (world.grid == grids.LOCKED), to_goal)
    with_key = least_steps(without_key, facing(world, grids.LOCKED, opened))
    return at_agent(world, least_steps(free, facing(world, grids.KEY, with_key)))


@pytest.mark.parametrize(("task", "kwargs"), [(FourRooms, {}), (KeyDoor, {"size": 5}), (KeyDoor, {})])
def test_the_oracles_return_is_that_of_shortest_ways(task: Any, kwargs: dict[str, Any]) -> None:
    world = task(200, seed=3, **kwargs)
    world.reset()
    best = (1 - 0.9 * shortest(world) / world.about.max_steps).mean()
    assert best == pytest.approx(world.about.references["oracle"].value, abs=0.012)
