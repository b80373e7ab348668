"""Games of words alone: their codes are found by hand, and their bounds counted out."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from agents_scripted import mean_return, random_player

from tutelage.services.agents.environments.orders import Announcement, Dispatch
from tutelage.services.agents.environments.referential_game import ReferentialGame
from tutelage.services.agents.environments.switch_riddle import NO_CHANNEL, SwitchRiddle, chance_of_all

Told = Callable[[Any, Any], Any]


def played(game: Any, say: Callable[[Any], Any], act: Callable[[Any, Any], Any], steps: int) -> Any:
    """Play with a channel of one step's delay; return the returns and successes of all episodes that ended."""
    observation, heard, total = game.reset(), None, np.zeros(game.num)
    returns: list[Any] = []
    succeeded: list[Any] = []
    for _ in range(steps):
        said = say(observation)
        step = game.step(act(observation, heard))
        total += step.rewards.mean(1)
        ended = step.terminated | step.truncated
        returns.append(total[ended])
        succeeded.append(step.succeeded[ended])
        total[ended] = 0
        observation, heard = step.observation, said
    return np.concatenate(returns), np.concatenate(succeeded)


def test_a_word_for_each_object_wins_the_referential_game_always() -> None:
    game = ReferentialGame(500, seed=0)

    def say(observation: Any) -> Any:
        return observation.seen[0]

    def act(observation: Any, heard: Any) -> Any:
        if heard is None:
            return None, np.zeros(game.num, np.int64)
        candidates = observation.seen[1].reshape(game.num, game.num_candidates, -1)
        return None, (candidates * heard[:, None]).sum(2).argmax(1)

    returns, succeeded = played(game, say, act, steps=6)
    assert returns.tolist() == [1.0] * 1500
    assert succeeded.all()


def test_without_a_word_the_referential_game_is_chance() -> None:
    assert mean_return(ReferentialGame(20_000, seed=0), random_player(0))[0] == pytest.approx(0.25, abs=0.01)


def test_the_sender_speaks_first_and_the_receiver_hears_then() -> None:
    game = ReferentialGame(4, seed=0)
    first = game.reset()
    assert (first.speaks[:, 0] & ~first.speaks[:, 1] & ~first.hears.any(1)).all()
    second = game.step((None, np.zeros(4, np.int64))).observation
    assert (second.hears[:, 1] & ~second.speaks.any(1)).all()
    assert not second.seen[0].any()


def test_the_candidates_differ_and_easier_games_have_fewer() -> None:
    game = ReferentialGame(200, seed=0)
    game.reset()
    assert all(len(set(row)) == 4 for row in game.candidates.tolist())
    easy = ReferentialGame(200, seed=0, difficulty=0.0)
    observation = easy.reset()
    assert observation.allowed[1].sum(1).tolist() == [2] * 200
    assert easy.target.max() == 1


def visitors_protocol(game: Any) -> tuple[Any, Any]:
    """The code for three: the light is on once two have been there; whoever is new then tells."""

    def inside(observation: Any) -> Any:
        seen = np.stack(observation.seen, 1)
        return seen[..., 0].argmax(1), seen

    state: dict[str, Any] = {"light": np.zeros(game.num, bool)}

    def act(observation: Any, heard: Any) -> Any:
        visitor, seen = inside(observation)
        rows = np.arange(game.num)
        mine = seen[rows, visitor]
        is_first, is_new = mine[:, 2] == 1, mine[:, 1] == 0
        light = state["light"] & ~is_first
        state["light"] = light | (is_new & ~is_first)
        actions = np.zeros((game.num, game.num_prisoners), np.int64)
        actions[rows, visitor] = light & is_new
        return tuple(actions.T)

    return (lambda observation: None), act


def test_three_prisoners_with_a_light_reach_the_oracle() -> None:
    game = SwitchRiddle(2000, seed=0)
    returns, succeeded = played(game, *visitors_protocol(game), steps=60)
    oracle = game.about.references["oracle"].value
    assert set(returns.tolist()) == {0.0, 1.0}
    assert returns.mean() == pytest.approx(oracle, abs=0.01)
    assert succeeded.mean() == returns.mean()


def test_the_last_day_of_the_riddle_is_an_end_and_no_cut() -> None:
    game = SwitchRiddle(2, seed=0)
    game.reset()
    for day in range(6):
        step = game.step((np.zeros(2, np.int64),) * 3)
        assert step.terminated.tolist() == [day == 5] * 2
        assert not step.truncated.any()


@pytest.mark.parametrize("game", [SwitchRiddle, ReferentialGame])
def test_who_has_nothing_to_decide_does_not_play(game: Any) -> None:
    first = game(8, seed=0).reset()
    assert (first.plays.sum(1) == 1).all()
    assert (first.plays == first.speaks).all()


@pytest.mark.parametrize("task", [Announcement, Dispatch])
def test_the_critics_state_says_what_is_due_and_the_last_order_is_the_end(task: Any) -> None:
    game = task(6, seed=0)
    observation = game.reset()
    sizes = (game.num_tasks + 1, game.num_workers + 1)
    assert not observation.plays[:, 1:].any()
    for number in range(game.rounds + 1):
        now, due = np.split(observation.state, 2, axis=1)
        assert due[:, [sizes[0] - 1, -1]].all() == (number == 0)
        idle = np.zeros(6, np.int64)
        step = game.step((None, *[idle] * game.num_workers))
        observation = step.last or step.observation
        assert (np.split(observation.state, 2, axis=1)[1] == now).all()
    assert step.terminated.all()
    assert not observation.plays[:, 0].any()
    assert observation.state.shape[1] == game.about.state


@pytest.mark.parametrize(("prisoners", "days"), [(3, 6), (4, 10)])
def test_the_riddles_oracle_is_the_share_of_sequences_with_all(prisoners: int, days: int) -> None:
    if prisoners == 3:
        sequences = list(itertools.product(range(3), repeat=days))
        share = sum(len(set(sequence)) == 3 for sequence in sequences) / len(sequences)
        assert chance_of_all(days, 3) == pytest.approx(share)
    assert SwitchRiddle(1, seed=0, num_prisoners=prisoners).about.max_steps == days


@pytest.mark.parametrize("prisoners", [3, 4])
def test_the_riddles_random_return_is_as_measured(prisoners: int) -> None:
    game = SwitchRiddle(40_000, seed=1, num_prisoners=prisoners)
    assert mean_return(game, random_player(0))[0] == pytest.approx(game.about.references["random"].value, abs=0.02)


def respond(sequences: Any, visits: Any, outcome: Any, told: Any, agent: int) -> tuple[list[Any], float]:
    """Return a prisoner's best rule over its own histories, and its value, where the others tell first on `told`."""
    days = sequences.shape[1]
    others = np.where(told < days, outcome[np.arange(len(told)), np.minimum(told, days - 1)], 0.0)
    value = np.bincount(visits[agent][-1], weights=others, minlength=2**days)
    rule: list[Any] = [None] * days
    for day in reversed(range(days)):
        value = value.reshape(-1, 2).sum(1) if day < days - 1 else value
        now = np.where(told <= day, others, outcome[:, day])
        telling = np.bincount(visits[agent][day], weights=now, minlength=len(value))
        rule[day] = (np.arange(len(value)) % 2 == 1) & (telling > value + 1e-9)
        value = np.where(rule[day], telling, value)
    return rule, float(value.sum() / len(sequences))


def test_the_riddles_no_channel_bound_is_what_best_responses_find() -> None:
    days, prisoners = 6, 3
    sequences = np.array(list(itertools.product(range(prisoners), repeat=days)))
    was_there = np.stack([np.logical_or.accumulate(sequences == agent, 1) for agent in range(prisoners)], 2)
    outcome = np.where(was_there.all(2), 1.0, -1.0)
    visits = []
    for agent in range(prisoners):
        code = np.zeros(len(sequences), np.int64)
        visits.append([code := code * 2 + (sequences[:, day] == agent) for day in range(days)])
    rng, best = np.random.default_rng(0), 0.0
    for _ in range(40):
        rules = [[rng.random(2 ** (day + 1)) < rng.random() / 2 for day in range(days)] for _ in range(prisoners)]
        value, before = 0.0, -1.0
        while value > before + 1e-12:
            before = value
            for agent in range(prisoners):
                told = np.full(len(sequences), days)
                for other in {0, 1, 2} - {agent}:
                    for day in reversed(range(days)):
                        tells = rules[other][day][visits[other][day]] & (sequences[:, day] == other)
                        told = np.where(tells & (day < told), day, told)
                rules[agent], value = respond(sequences, visits, outcome, told, agent)
        best = max(best, value)
    assert best == pytest.approx(NO_CHANNEL[3], abs=0.001)


def guide_says(game: Any) -> Callable[[Any], Any]:
    return lambda observation: observation.seen[0]


def test_a_broadcast_solves_announcement_and_a_direct_word_cannot() -> None:
    game, large = Announcement(100, seed=0), Announcement(4000, seed=0)

    def act(observation: Any, heard: Any) -> Any:
        task = np.zeros(game.num, np.int64) if heard is None else heard.argmax(1)
        return (None, *[task] * game.num_workers)

    def one_hears(observation: Any, heard: Any) -> Any:
        """The guide tells worker t of task t; the others take the absence for another task."""
        task = np.zeros(large.num, np.int64) if heard is None else heard.argmax(1)
        return (None, *(np.where(task == worker, task, worker == 0) for worker in range(large.num_workers)))

    returns, succeeded = played(game, guide_says(game), act, steps=18)
    assert returns.mean() == pytest.approx(1.0)
    assert succeeded.all()
    returns, succeeded = played(large, guide_says(large), one_hears, steps=9)
    assert returns.mean() == pytest.approx(game.about.references["direct"].value, abs=0.01)
    assert not succeeded.any()


def test_the_direct_bound_of_announcement_is_the_best_of_all_ways_to_choose_whom_to_tell() -> None:
    tasks, workers = 4, 4
    best = 0.0
    for told in itertools.product(range(workers), repeat=tasks):
        right = sum(told.count(worker) + (told.count(worker) < tasks) for worker in range(workers))
        best = max(best, right / (tasks * workers))
    assert Announcement(1, seed=0).about.references["direct"].value == pytest.approx(best)


def test_a_direct_word_solves_dispatch() -> None:
    game = Dispatch(100, seed=0)

    def act(observation: Any, heard: Any) -> Any:
        idle = np.zeros(game.num, np.int64)
        if heard is None:
            return (None, *[idle] * game.num_workers)
        worker, task = heard[:, : game.num_workers].argmax(1), heard[:, game.num_workers :].argmax(1)
        return (None, *(np.where(worker == place, task + 1, 0) for place in range(game.num_workers)))

    returns, succeeded = played(game, guide_says(game), act, steps=18)
    assert returns.mean() == pytest.approx(1.0)
    assert succeeded.all()


@pytest.mark.parametrize("cost", [0.5, 1.0])
@pytest.mark.parametrize(("workers", "tasks"), [(3, 3), (2, 2), (2, 3), (3, 2)])
def test_the_broadcast_bound_of_dispatch_is_the_best_of_all_codes(workers: int, tasks: int, cost: float) -> None:
    """Every set of answers, one a word; the guide says the word whose answer scores best."""
    answers = np.array(list(itertools.product(range(tasks + 1), repeat=workers)))
    orders = list(itertools.product(range(workers), range(1, tasks + 1)))
    acting = (answers != 0).sum(1)
    others = [acting - (answers[:, j] != 0) for j, _ in orders]
    right = [(answers[:, j] == g).astype(float) for j, g in orders]
    score = np.array(right) - cost * np.array(others)
    codes = np.array(list(itertools.combinations(range(len(answers)), tasks)))
    best = max(score[:, codes].max(2).mean(0))
    bounds = Dispatch(1, seed=0, num_workers=workers, num_tasks=tasks, cost=cost).about.references
    assert bounds["broadcast"].value == pytest.approx(best)
    assert bounds["no_channel"].value == pytest.approx(score.mean(0).max())


@pytest.mark.parametrize("task", [Announcement, Dispatch, partial(Dispatch, cost=0.5)])
def test_evenly_drawn_actions_score_as_computed(task: Any) -> None:
    measured = mean_return(task(5000, seed=0), random_player(0))[0]
    assert measured == pytest.approx(task(1, seed=0).about.references["random"].value, abs=0.03)
