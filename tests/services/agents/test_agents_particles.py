"""The particle worlds are MPE's: every step equals mpe2's, with what a channel of one step's delay brings appended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from agents_scripted import assignment, geometric_median, mean_return, random_player, toward
from mpe2 import simple_reference_v3, simple_speaker_listener_v4, simple_spread_v3

from tutelage.services.agents.environments.base import Observation
from tutelage.services.agents.environments.simple_reference import SimpleReference
from tutelage.services.agents.environments.simple_spread import SimpleSpread
from tutelage.services.agents.environments.speaker_listener import SpeakerListener

EPISODES, STEPS = 20, 25


def begin_theirs(module: Any, seed: int) -> tuple[Any, Any, dict[str, Any]]:
    theirs = module.parallel_env(max_cycles=STEPS)
    seen, _ = theirs.reset(seed=seed)
    return theirs, theirs.unwrapped.world, seen


def positions(things: list[Any]) -> Any:
    return np.stack([thing.state.p_pos for thing in things])[None].copy()


def goal_of(world: Any, agent: int) -> int:
    return next(index for index, landmark in enumerate(world.landmarks) if landmark is world.agents[agent].goal_b)


def heard(word: int | None, words: int) -> Any:
    """What the channel appends: the word of the step before as one of `words`, zeros before the first."""
    return np.zeros(words, np.float32) if word is None else np.eye(words, dtype=np.float32)[word]


def same(theirs: Any, ours: Any) -> None:
    np.testing.assert_array_equal(np.asarray(theirs, np.float32), ours)


@pytest.mark.parametrize("seed", range(EPISODES))
def test_speaker_listener_equals_mpe2_step_for_step(seed: int) -> None:
    theirs, world, seen = begin_theirs(simple_speaker_listener_v4, seed)
    ours = SpeakerListener(1, seed=0)
    ours.reset()
    ours.landmarks, ours.position = positions(world.landmarks), positions([world.agents[1]])[:, 0]
    ours.goal[:] = goal_of(world, 0)
    rng = np.random.default_rng(seed)
    word, observation = None, ours.observe()
    for _ in range(STEPS):
        same(seen["speaker_0"], observation.seen[0][0])
        same(seen["listener_0"], np.concatenate([observation.seen[1][0], heard(word, 3)]))
        word, move = int(rng.integers(3)), int(rng.integers(5))
        seen, rewards, terminated, truncated, _ = theirs.step({"speaker_0": word, "listener_0": move})
        step = ours.step((None, np.array([move])))
        observation = step.last or step.observation
        same([rewards["speaker_0"], rewards["listener_0"]], step.rewards[0])
        assert truncated["listener_0"] == step.truncated[0]
        assert terminated["listener_0"] == step.terminated[0]
    assert step.truncated[0]


@pytest.mark.parametrize("seed", range(EPISODES))
def test_simple_spread_equals_mpe2_step_for_step(seed: int) -> None:
    theirs, world, seen = begin_theirs(simple_spread_v3, seed)
    ours = SimpleSpread(1, seed=0)
    ours.reset()
    ours.landmarks, ours.position = positions(world.landmarks), positions(world.agents)
    ours.position *= 0.5  # near one another, so that they bump
    for agent, position in zip(world.agents, ours.position[0], strict=True):
        agent.state.p_pos = position.copy()
    seen = {name: theirs.aec_env.observe(name) for name in theirs.agents}
    rng = np.random.default_rng(seed)
    observation = ours.observe()
    for _ in range(STEPS):
        for agent in range(3):
            same(seen[f"agent_{agent}"], observation.seen[agent][0])
        moves = rng.integers(5, size=3)
        seen, rewards, _, truncated, _ = theirs.step({f"agent_{a}": int(move) for a, move in enumerate(moves)})
        step = ours.step(tuple(moves[:, None]))
        observation = step.last or step.observation
        same(list(rewards.values()), step.rewards[0])
        assert truncated["agent_0"] == step.truncated[0]


@pytest.mark.parametrize("seed", range(EPISODES))
def test_simple_reference_equals_mpe2_step_for_step(seed: int) -> None:
    theirs, world, seen = begin_theirs(simple_reference_v3, seed)
    ours = SimpleReference(1, seed=0)
    ours.reset()
    ours.landmarks, ours.position = positions(world.landmarks), positions(world.agents)
    ours.goal[0] = [goal_of(world, 0), goal_of(world, 1)]
    rng = np.random.default_rng(seed)
    words: list[int | None] = [None, None]
    observation = ours.observe()
    for _ in range(STEPS):
        for agent in range(2):
            same(seen[f"agent_{agent}"], np.concatenate([observation.seen[agent][0], heard(words[1 - agent], 10)]))
        moves, said = rng.integers(5, size=2), rng.integers(10, size=2)
        words = [int(word) for word in said]
        joint = {f"agent_{a}": int(moves[a] + 5 * said[a]) for a in range(2)}
        seen, rewards, _, truncated, _ = theirs.step(joint)
        step = ours.step(tuple(moves[:, None]))
        observation = step.last or step.observation
        same(list(rewards.values()), step.rewards[0])
        assert truncated["agent_0"] == step.truncated[0]


def listener(target: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda world: (None, toward(world.position, world.velocity, target(world)))


def both(target: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def play(world: Any) -> Any:
        moves = toward(world.position, world.velocity, target(world))
        return tuple(moves[:, agent] for agent in range(moves.shape[1]))

    return play


def assigned(world: Any) -> Any:
    return np.take_along_axis(world.landmarks, assignment(world.position, world.landmarks)[..., None], 1)


def medians(world: Any) -> Any:
    return np.repeat(geometric_median(world.landmarks)[:, None], 2, 1)


@pytest.mark.parametrize(
    ("world", "name", "player"),
    [
        (SpeakerListener, "oracle", listener(lambda world: world.target)),
        (SpeakerListener, "no_channel", listener(lambda world: world.landmarks.mean(1))),
        (SpeakerListener, "random", random_player(0)),
        (SimpleSpread, "oracle", both(assigned)),
        (SimpleSpread, "random", random_player(0)),
        (SimpleReference, "oracle", both(lambda world: world.targets)),
        (SimpleReference, "no_channel", both(medians)),
        (SimpleReference, "random", random_player(0)),
    ],
)
def test_the_references_are_what_their_players_return(world: Any, name: str, player: Any) -> None:
    measured, _ = mean_return(world(4000, seed=7), player)
    assert measured == pytest.approx(world(1, seed=0).about.references[name].value, rel=0.06)


def test_a_scripted_listener_that_knows_the_goal_succeeds_and_one_without_does_not() -> None:
    assert mean_return(SpeakerListener(500, seed=3), listener(lambda world: world.target))[1] > 0.99
    assert mean_return(SpeakerListener(500, seed=3), listener(lambda world: world.landmarks.mean(1)))[1] < 0.2


def test_a_shifted_goal_shows_another_colour_and_rewards_the_same() -> None:
    plain, shifted = SpeakerListener(8, seed=1), SpeakerListener(8, seed=1, goal_shift=1)
    before, after = plain.reset(), shifted.reset()
    np.testing.assert_array_equal(before.seen[1], after.seen[1])
    assert (before.seen[0] != after.seen[0]).any(1).all()
    move = np.ones(8, np.int64)
    np.testing.assert_array_equal(plain.step((None, move)).rewards, shifted.step((None, move)).rewards)


def test_remapped_actions_and_damping_change_the_dynamics() -> None:
    plain, mirrored = SpeakerListener(4, seed=1), SpeakerListener(4, seed=1, action_map=[0, 2, 1, 4, 3])
    slow = SpeakerListener(4, seed=1, damping=0.9)
    observations: list[Observation] = []
    for world, move in ((plain, 1), (mirrored, 2), (slow, 1)):
        world.reset()
        for _ in range(3):
            step = world.step((None, np.full(4, move)))
        observations.append(step.observation)
    np.testing.assert_array_equal(observations[0].seen[1], observations[1].seen[1])
    assert (np.abs(observations[2].seen[1][:, 0]) < np.abs(observations[0].seen[1][:, 0])).all()


@pytest.mark.parametrize("world", [SpeakerListener, SimpleSpread, SimpleReference])
def test_easier_particle_worlds_begin_nearer_the_goal(world: Any) -> None:
    hard, easy = world(2000, seed=2), world(2000, seed=2, difficulty=0.3)
    player = random_player(1)
    assert mean_return(easy, player)[0] > mean_return(hard, player)[0]
