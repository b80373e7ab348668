"""Hierarchical assignment: what the manager decides, what workers see of it, and that the task stays what it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from agents_trainings import TINY, trained

from tutelage.core.errors import InvalidSpec
from tutelage.core.layout import OperationFiles
from tutelage.services.agents.artifacts import load_saved_team
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.environments.assigned import MANAGER, NOBODY, Assigned
from tutelage.services.agents.environments.cartpole import CartPole
from tutelage.services.agents.environments.foraging import Foraging
from tutelage.services.agents.environments.simple_spread import SimpleSpread
from tutelage.services.agents.evaluation.evaluate import evaluation_document, final
from tutelage.services.agents.teams.roles import duties_of

COPIES, WORKERS, GOALS, EVERY = 4, 3, 3, 5
SPREAD = {**TINY, "environment": {"id": "simple_spread"}, "coordination_strategy": "hierarchical"}


def spread(*, goal_weight: float = 1.0, seed: int = 3) -> Assigned:
    return Assigned(SimpleSpread(COPIES, seed=seed), every=EVERY, goal_weight=goal_weight)


def actions(draw: np.random.Generator, chosen: int | None = None) -> tuple[Any, ...]:
    manager = np.full(COPIES, chosen) if chosen is not None else draw.integers(GOALS**WORKERS, size=COPIES)
    return (*(draw.integers(5, size=COPIES) for _ in range(WORKERS)), manager)


def test_the_task_under_a_manager_is_the_task_itself() -> None:
    plain, led = SimpleSpread(COPIES, seed=3), spread()
    seen, seen_led = plain.reset(), led.reset()
    draw = np.random.default_rng(0)
    for _ in range(60):
        taken = actions(draw)
        for agent in range(WORKERS):
            width = plain.about.agents[agent].observation
            assert np.array_equal(seen_led.seen[agent][:, :width], seen.seen[agent])
        step, step_led = plain.step(taken[:-1]), led.step(taken)
        assert np.array_equal(step_led.rewards[:, :-1], step.rewards)
        assert np.allclose(step_led.rewards.mean(1), step.rewards.mean(1))
        assert np.array_equal(step_led.truncated, step.truncated)
        assert (step.last is None) == (step_led.last is None)
        seen, seen_led = step.observation, step_led.observation


def test_an_assignment_is_held_and_the_manager_plays_only_where_one_is_due() -> None:
    led, draw = spread(), np.random.default_rng(1)
    observation = led.reset()
    for step_number in range(25):
        is_due = step_number % EVERY == 0
        assert observation.plays is not None
        assert observation.plays[:, -1].tolist() == [is_due] * COPIES
        assert observation.plays[:, :-1].all()
        assert observation.allowed is not None
        masks = observation.allowed[-1]
        assert masks is not None
        assert masks.sum(1).tolist() == [27 if is_due else 1] * COPIES
        held = led.held.copy()
        taken = actions(draw)
        observation = led.step(taken).observation
        if step_number == 24:
            break  # the next episode has begun, with nothing assigned
        assert np.array_equal(led.held, led.assigned(taken[-1]) if is_due else held)
        if not is_due:
            assert masks[np.arange(COPIES), (held * [1, 3, 9]).sum(1)].all()
    assert (led.held == NOBODY).all()
    assert observation.plays is not None
    assert observation.plays[:, -1].all()


def test_a_worker_sees_its_goal_from_the_next_step_on() -> None:
    led, draw = spread(), np.random.default_rng(2)
    width = led.about.agents[0].observation - GOALS - 2
    assert not np.any([seen[:, width:] for seen in led.reset().seen[:-1]])
    chosen = 2 + 0 * 3 + 1 * 9  # the first worker to landmark 2, the second to 0, the third to 1
    observation = led.step(actions(draw, chosen)).observation
    for agent, goal in enumerate([2, 0, 1]):
        seen = observation.seen[agent]
        assert np.array_equal(seen[:, width : width + GOALS], np.eye(GOALS, dtype=np.float32)[[goal] * COPIES])
        assert np.array_equal(seen[:, width + GOALS :], seen[:, 4 + 2 * goal : 6 + 2 * goal])


def test_the_manager_and_the_shared_critic_see_what_all_workers_see_and_hold() -> None:
    led = spread()
    observation = led.reset()
    assert observation.state is not None
    assert observation.state.shape == (COPIES, led.about.state) == (COPIES, 3 * 18 + 9)
    assert np.array_equal(observation.state, observation.seen[-1])
    assert led.about.agents[-1].name == MANAGER


def test_coming_nearer_to_a_goal_is_learnt_from_and_no_part_of_the_return() -> None:
    led, draw = spread(goal_weight=2.0), np.random.default_rng(3)
    led.reset()
    task: Any = led._task
    chosen = 0
    for step_number in range(25):
        before = task.goal_distances()[:, :, 0]
        step = led.step(actions(draw, chosen))
        assert step.shaping is not None
        assert not step.shaping[:, -1].any()
        if step_number < 24:
            assert np.allclose(step.shaping[:, :-1], 2.0 * (before - task.goal_distances()[:, :, 0]))
        else:
            assert not step.shaping.any()
    assert spread(goal_weight=0.0).reset() is not None
    free = spread(goal_weight=0.0)
    free.reset()
    assert free.step(actions(draw)).shaping is None


def test_the_state_brings_assignments_back() -> None:
    led, other, draw = spread(), spread(seed=9), np.random.default_rng(4)
    led.reset()
    other.reset()
    for _ in range(7):
        led.step(actions(draw))
    other.load_state_dict(led.state_dict())
    taken = actions(draw)
    one, two = led.step(taken), other.step(taken)
    assert all(np.array_equal(a, b) for a, b in zip(one.observation.seen, two.observation.seen, strict=True))
    assert np.array_equal(led.held, other.held)


def test_a_scene_has_a_line_from_each_worker_to_its_goal() -> None:
    led, draw = spread(), np.random.default_rng(5)
    led.reset()
    assert not [shape for shape in led.scene(0)["shapes"] if shape["kind"] == "line"]
    led.step(actions(draw))
    assert len([shape for shape in led.scene(0)["shapes"] if shape["kind"] == "line"]) == WORKERS


def test_food_is_a_goal_until_it_is_taken() -> None:
    led = Assigned(Foraging(2, seed=1), every=2, goal_weight=1.0)
    led.reset()
    task: Any = led._task
    led.step((np.zeros(2, int), np.zeros(2, int), np.array([1, 2])))
    assert led.held.tolist() == [[1, 0], [0, 1]]
    task.food_level[0, 1] = 0
    assert task.goal_line(0, 0, 1) is None
    assert task.goal_distances()[0, :, 1].tolist() == [0.0, 0.0]
    assert len([shape for shape in led.scene(0)["shapes"] if shape["kind"] == "line"]) == 1


def test_a_task_without_goals_or_with_too_many_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="lists none"):
        Assigned(CartPole(num=2, seed=1), every=5, goal_weight=1.0)
    with pytest.raises(InvalidSpec, match=r"5\^5 = 3,125"):
        Assigned(SimpleSpread(2, seed=1, num_agents=5), every=5, goal_weight=1.0)


@pytest.mark.parametrize("setting", [{"assignment_every": 3}, {"goal_weight": 0.5}])
def test_its_settings_are_refused_with_another_strategy(setting: dict[str, Any]) -> None:
    assert AgentsConfig.model_validate({**SPREAD, **setting})
    with pytest.raises(InvalidSpec, match=next(iter(setting))):
        AgentsConfig.model_validate(setting)


def test_the_manager_is_the_coordinator() -> None:
    assert list(duties_of(spread().about, None).values()) == ["worker"] * 3 + ["coordinator"]


def test_a_training_tells_its_delegation_and_its_team_comes_back(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    trained(tmp_path / "run", SPREAD)
    files = OperationFiles(tmp_path / "run")
    behavior = json.loads((files.artifacts / "behavior_policy.json").read_text())
    told = behavior["delegation"]
    assert told["assignments"] == 20 * 25 // EVERY
    assert all(sum(counts) == told["assignments"] for counts in told["by_worker"].values())
    assert 1 <= told["distinct_goals"] <= GOALS
    about = json.loads((files.artifacts / "agent_config.json").read_text())
    assert about["assignment"]["manager"] == MANAGER
    assert about["assignment"]["every"] == EVERY
    assert about["duties"][MANAGER] == "coordinator"
    saved = load_saved_team(files.artifacts)
    again = evaluation_document(final(saved.team, saved.config, saved.seeds), saved.seeds)
    assert again["greedy"] == behavior["evaluation"]["greedy"]
    frames = json.loads((files.artifacts / "trajectory.json").read_text())["frames"]
    assert any(shape["kind"] == "line" for shape in frames[1]["scene"]["shapes"])
