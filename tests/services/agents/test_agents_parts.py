"""The parts of the core against references: torch's own layers and distributions, plain loops, closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from agents_support import Pointing, generators
from torch import nn
from torch.distributions import Categorical, Normal

from tutelage.services.agents.building import team_of
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.environments.base import Continuous, Discrete
from tutelage.services.agents.environments.randomness import generator_state, restored_generator
from tutelage.services.agents.policies.bodies import Recurrent, Shape
from tutelage.services.agents.policies.heads import Heads
from tutelage.services.agents.policies.normalize import Normalizer, ReturnScale
from tutelage.services.agents.policies.roles import roles_of
from tutelage.services.agents.policies.stacked import StackedGRUCell, StackedLinear, StackedNorm
from tutelage.services.agents.ppo.biases import signalling
from tutelage.services.agents.ppo.returns import advantages, explained_variance
from tutelage.services.agents.ppo.storage import Sizes, Storage

CONFIG = AgentsConfig(hidden_size=8, num_layers=1)


def test_stacked_layers_are_single_layers_side_by_side() -> None:
    layer = StackedLinear(5, 3, generators(1, 2), gain=1.0)
    x = torch.randn(2, 7, 5)
    for index in range(2):
        expected = nn.functional.linear(x[index], layer.weight[index].T, layer.bias[index, 0])
        torch.testing.assert_close(layer(x)[index], expected)
    alone = StackedLinear(5, 3, generators(2), gain=1.0)
    assert torch.equal(alone.weight[0], layer.weight[1])


def test_weights_are_orthogonal() -> None:
    weight = StackedLinear(6, 4, generators(0), gain=2.0).weight[0]
    torch.testing.assert_close(weight.T @ weight, 4 * torch.eye(4))


def test_a_stacked_unit_equals_torchs() -> None:
    cell, reference = StackedGRUCell(4, generators(3)), nn.GRUCell(4, 4)
    with torch.no_grad():
        reference.weight_ih.copy_(cell.input.weight[0].T)
        reference.weight_hh.copy_(cell.memory.weight[0].T)
        nn.init.normal_(cell.input.bias)
        nn.init.normal_(cell.memory.bias)
        reference.bias_ih.copy_(cell.input.bias[0, 0])
        reference.bias_hh.copy_(cell.memory.bias[0, 0])
    x, memory = torch.randn(1, 5, 4), torch.randn(1, 5, 4)
    torch.testing.assert_close(cell(x, memory)[0], reference(x[0], memory[0]))


def test_a_stacked_norm_equals_torchs() -> None:
    norm, x = StackedNorm(6, 2), torch.randn(2, 3, 4, 6)
    torch.testing.assert_close(norm(x), nn.functional.layer_norm(x, (6,)))


def test_unrolling_forgets_where_an_episode_begins() -> None:
    body = Recurrent(Shape(kind="recurrent", inputs=3, width=4, layers=2), generators(0))
    x, begins = torch.randn(1, 2, 5, 3), torch.zeros(1, 2, 5, dtype=torch.bool)
    begins[:, :, 3] = True
    whole = body.unroll(x, torch.zeros(1, 2, 4), begins)
    torch.testing.assert_close(
        whole[:, :, 3:], body.unroll(x[:, :, 3:], torch.zeros(1, 2, 4), begins[:, :, :2] * False)
    )


def test_odds_equal_torchs_distributions() -> None:
    heads = Heads(action=Discrete(num=3), symbols=4)
    outputs, action, word = torch.randn(6, 7), torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([3, -1, 0, 1, 2, 3])
    odds = heads.odds(outputs, None, action=action, word=word)
    acts, words = Categorical(logits=outputs[:, :3]), Categorical(logits=outputs[:, 3:])
    spoke = (word >= 0).float()
    torch.testing.assert_close(odds.log_prob, acts.log_prob(action) + words.log_prob(word.clamp_min(0)) * spoke)
    torch.testing.assert_close(odds.entropy, acts.entropy() + words.entropy() * spoke)


def test_odds_of_vectors_equal_torchs_distribution() -> None:
    heads = Heads(action=Continuous(low=(-1.0, 0.0), high=(1.0, 5.0)))
    means, log_std, action = torch.randn(6, 2), torch.tensor([[0.3, -0.7]]), torch.randn(6, 2)
    odds = heads.odds(means, log_std, action=action, word=None)
    reference = Normal(means, log_std.exp().expand_as(means))
    torch.testing.assert_close(odds.log_prob, reference.log_prob(action).sum(1))
    torch.testing.assert_close(odds.entropy, reference.entropy().sum(1))


def test_choices_by_chance_have_the_policys_shares() -> None:
    heads, outputs = Heads(action=Discrete(num=3)), torch.tensor([0.0, 1.0, -1.0])
    noise = heads.noise((20_000,), generators(0)[0])
    action = heads.choose(outputs.expand(20_000, 3), None, noise=noise).action
    assert action is not None
    shares = torch.bincount(action, minlength=3) / 20_000
    torch.testing.assert_close(shares, outputs.softmax(0), atol=0.012, rtol=0)


def test_an_illegal_action_is_never_chosen_and_has_no_odds() -> None:
    heads, outputs = Heads(action=Discrete(num=2)), torch.zeros(1000, 2)
    allowed = torch.tensor([True, False]).expand(1000, 2)
    action = heads.choose(outputs, None, noise=heads.noise((1000,), generators(0)[0]), allowed=allowed).action
    assert action is not None
    assert not action.any()
    odds = heads.odds(outputs, None, action=action, word=None, allowed=allowed)
    assert odds.log_prob.abs().max() == 0
    assert odds.entropy.abs().max() == 0


@pytest.mark.parametrize(("rate", "num", "expected"), [(0.1, 2, 0.1985), (1.0, 4, math.log(4)), (0.0, 4, 0.0)])
def test_the_exploration_rate_is_the_entropy_of_acting_at_random_that_often(
    rate: float, num: int, expected: float
) -> None:
    assert Heads(action=Discrete(num=num)).entropy_at(rate) == pytest.approx(expected, abs=1e-4)


def test_advantages_equal_a_plain_sum() -> None:
    torch.manual_seed(0)
    rewards, values, ended = torch.randn(1, 6, 2), torch.randn(1, 7, 2), torch.rand(1, 6, 2) < 0.3
    found = advantages(rewards, values, ended, gamma=0.9, lam=0.8)
    for copy in range(2):
        for start in range(6):
            total, weight = 0.0, 1.0
            for time in range(start, 6):
                follows = 0.0 if ended[0, time, copy] else float(values[0, time + 1, copy])
                total += weight * (float(rewards[0, time, copy]) + 0.9 * follows - float(values[0, time, copy]))
                if ended[0, time, copy]:
                    break
                weight *= 0.9 * 0.8
            assert float(found[0, start, copy]) == pytest.approx(total, abs=1e-5)


def test_a_perfect_critic_explains_all_and_a_constant_nothing() -> None:
    returns = torch.randn(2, 5, 4)
    torch.testing.assert_close(explained_variance(returns, returns), torch.ones(2))
    torch.testing.assert_close(explained_variance(torch.zeros_like(returns), returns), torch.zeros(2))


def test_normalisation_equals_the_moments_of_all_that_was_seen() -> None:
    rows = torch.randn(2, 300, 4) * 3 + 5
    normalizer = Normalizer(4, 2, num=3)
    for part in rows.split((100, 150, 50), 1):
        normalizer.learn(part)
    shown = normalizer(rows)
    expected = (rows[..., :3] - rows[..., :3].mean(1, keepdim=True)) / rows[..., :3].std(1, keepdim=True, correction=0)
    torch.testing.assert_close(shown[..., :3], expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(shown[..., 3], rows[..., 3].clamp(-10, 10))


def test_rewards_are_divided_by_the_deviation_of_the_discounted_return() -> None:
    rewards, ended = torch.randn(1, 50, 3), torch.rand(1, 50, 3) < 0.1
    scaled = ReturnScale(1, 3)(rewards, ended, gamma=0.9)
    returns, running = [], np.zeros(3)
    for time in range(50):
        running = running * 0.9 + rewards[0, time].numpy()
        returns.append(running.copy())
        running[ended[0, time].numpy()] = 0.0
    torch.testing.assert_close(scaled, rewards / float(np.std(returns)), rtol=1e-4, atol=1e-5)


def test_words_that_tell_what_is_seen_signal_and_constant_ones_do_not() -> None:
    telling = torch.tensor([[[50.0, 0.0], [0.0, 50.0]]]).log_softmax(-1)
    spoke = torch.ones(1, 2, dtype=torch.bool)
    assert float(signalling(telling, spoke)) == pytest.approx(math.log(2), abs=1e-5)
    assert float(signalling(telling[:, :1].expand(1, 2, 2), spoke)) == pytest.approx(0.0, abs=1e-6)


def test_a_generators_state_is_plain_and_exact() -> None:
    first = np.random.default_rng(5)
    first.integers(10, size=7, dtype=np.int32)
    second = restored_generator(generator_state(first))
    np.testing.assert_array_equal(first.random(5), second.random(5))
    np.testing.assert_array_equal(
        first.integers(10, size=3, dtype=np.int32), second.integers(10, size=3, dtype=np.int32)
    )


def test_a_mask_of_one_step_is_not_that_of_the_same_step_of_the_next_rollout() -> None:
    about = Pointing(num=2, seed=0).about
    (_, policy) = team_of(CONFIG, roles_of(about, symbols=(3, 0, 0), widths=(0, 3, 3)), [0], num_copies=2).roles
    storage = Storage(policy, Sizes(seeds=1, steps=3, copies=2))
    storage.masks(1, allowed=torch.zeros(1, 4, 3, dtype=torch.bool), plays=torch.zeros(1, 4, dtype=torch.bool))
    storage.masks(1, allowed=None, plays=None)
    assert storage.allowed is not None
    assert storage.plays is not None
    assert storage.allowed.all()
    assert storage.plays.all()
