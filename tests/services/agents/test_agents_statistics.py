"""Statistics of several seeds, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.services.agents.evaluation.statistics import (
    estimate,
    improvement,
    interquartile_mean,
    probability_of_improvement,
    resampled,
)


@pytest.mark.parametrize(
    ("scores", "mean"),
    [([1.0], 1.0), ([1.0, 3.0], 2.0), ([0.0, 1.0, 3.0, 100.0], 2.0), ([-9.0, 1.0, 2.0, 3.0, 90.0], 2.0)],
)
def test_the_interquartile_mean_leaves_out_a_quarter_at_each_end(scores: list[float], mean: float) -> None:
    assert interquartile_mean(np.array(scores)) == mean


def test_the_interquartile_mean_of_a_uniform_sample_is_its_middle_whatever_its_order() -> None:
    scores = np.random.default_rng(0).permutation(np.arange(1000.0))
    assert interquartile_mean(scores.reshape(100, 10)) == pytest.approx(499.5)


def test_runs_are_resampled_within_their_task() -> None:
    scores = np.array([[0.0, 10.0], [1.0, 11.0], [2.0, 12.0]])
    for _ in range(20):
        drawn = resampled(scores, np.random.default_rng())
        assert drawn.shape == scores.shape
        assert (drawn[:, 0] < 5).all()
        assert (drawn[:, 1] > 5).all()


def test_the_interval_of_a_mean_is_as_wide_as_the_normal_law_says() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(5.0, 2.0, size=(400, 1))
    made = estimate(scores, random=random, statistic=lambda drawn: float(drawn.mean()))
    assert made.high - made.low == pytest.approx(2 * 1.96 * scores.std() / 20, rel=0.08)
    assert made.low < made.value < made.high


def test_equal_runs_have_an_interval_of_no_width() -> None:
    made = estimate(np.full(5, 3.0), random=np.random.default_rng(0))
    assert (made.low, made.value, made.high) == (3.0, 3.0, 3.0)


@pytest.mark.parametrize(
    ("scores", "others", "chance"),
    [
        ([2.0, 3.0], [0.0, 1.0], 1.0),
        ([0.0, 1.0], [2.0, 3.0], 0.0),
        ([1.0, 1.0], [1.0, 1.0], 0.5),
        ([1.0, 3.0], [2.0, 2.0, 0.0], 4 / 6),
    ],
)
def test_the_probability_of_improvement_counts_pairs(scores: list[float], others: list[float], chance: float) -> None:
    assert probability_of_improvement(np.array(scores), np.array(others)) == pytest.approx(chance)


def test_the_probability_of_improvement_is_the_mean_over_tasks() -> None:
    scores, others = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [0.0, 0.0]])
    assert probability_of_improvement(scores, others) == pytest.approx((1.0 + 0.25) / 2)


def test_a_clear_improvement_has_an_interval_above_a_half() -> None:
    random = np.random.default_rng(0)
    made = improvement(random.normal(1, 1, 50), random.normal(0, 1, 50), random=random)
    assert 0.5 < made.low < made.value < made.high < 1.0
    # Two normal samples one deviation apart: the left one wins with probability Phi(1 / sqrt 2) = 0.76.
    assert made.low < 0.76 < made.high
