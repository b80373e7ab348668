"""Our batched environments against Gymnasium's own, step for step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tutelage.services.agents.environments.registry import build

gymnasium = pytest.importorskip("gymnasium")

COPIES, STEPS = 6, 1100


@pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1"])
def test_every_copy_equals_gymnasium_step_for_step(name: str) -> None:
    ours = build(name, num=COPIES, seed=5)
    theirs = [gymnasium.make(name) for _ in range(COPIES)]
    for each in theirs:
        each.reset(seed=0)
    observation = ours.reset()
    _follow(ours, theirs, range(COPIES))
    draw = np.random.default_rng(1)
    num_ended = num_late = 0
    for step_number in range(STEPS):
        actions = _actions(name, observation.seen[0], draw, is_held=step_number % 7 < 6)
        step = ours.step((actions,))
        for copy, each in enumerate(theirs):
            seen, reward, terminated, truncated, _ = each.step(int(actions[copy]))
            is_over = terminated or truncated
            got = step.last.seen[0][copy] if is_over and step.last is not None else step.observation.seen[0][copy]
            assert got.dtype == seen.dtype
            np.testing.assert_array_equal(got, seen)
            assert step.rewards[copy, 0] == reward
            assert (step.terminated[copy], step.truncated[copy]) == (terminated, truncated and not terminated)
            num_ended, num_late = num_ended + is_over, num_late + (truncated and not terminated)
        over = np.flatnonzero(step.terminated | step.truncated)
        for copy in over:
            theirs[copy].reset()
        _follow(ours, theirs, over)
        observation = step.observation
    assert num_ended >= 5
    assert num_late >= 1


def _follow(ours: Any, theirs: list[Any], copies: Any) -> None:
    """Have Gymnasium's environments begin where ours did."""
    state = ours.state_dict()["state"]
    for copy in copies:
        theirs[copy].unwrapped.state = state[:, copy].copy()


def _actions(name: str, seen: np.ndarray[Any, Any], draw: np.random.Generator, *, is_held: bool) -> Any:
    """Balance the pole, or swing the arm, most of the time; some copies only draw, so that both ends occur."""
    random = draw.integers(2 if name == "CartPole-v1" else 3, size=len(seen))
    if name == "CartPole-v1":
        skilled = (seen[:, 2] + 0.5 * seen[:, 3] + 0.1 * seen[:, 0] + 0.1 * seen[:, 1] > 0).astype(np.int64)
    else:
        skilled = np.where(seen[:, 4] > 0, 2, 0)
    half = np.arange(len(seen)) < len(seen) // 2
    return np.where(half & is_held, skilled, random) if name == "CartPole-v1" else np.where(half, skilled, random)


@pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1"])
def test_a_kept_environment_goes_on_exactly(name: str) -> None:
    first, second = build(name, num=4, seed=3), build(name, num=4, seed=99)
    first.reset()
    second.reset()
    draw = np.random.default_rng(0)
    actions = [draw.integers(2, size=4) for _ in range(300)]
    for each in actions[:100]:
        first.step((each,))
    second.load_state_dict(first.state_dict())
    for each in actions[100:]:
        left, right = first.step((each,)), second.step((each,))
        np.testing.assert_array_equal(left.observation.seen[0], right.observation.seen[0])
        np.testing.assert_array_equal(left.terminated, right.terminated)


@pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1"])
def test_a_scene_can_be_drawn(name: str) -> None:
    environment = build(name, num=2, seed=0)
    environment.reset()
    scene = environment.scene(1)
    assert len(scene["bounds"]) == 4
    assert {shape["kind"] for shape in scene["shapes"]} <= {"circle", "line", "box", "text"}
