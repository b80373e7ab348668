"""Measures of communication against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tutelage.services.agents.communication.codebook import codebook
from tutelage.services.agents.communication.influence import (
    causal_influence,
    counterfactual_influence,
    message_information,
)
from tutelage.services.agents.communication.score import Coordination, NoScore, coordination, reference_of
from tutelage.services.agents.environments.base import Discrete, Reference
from tutelage.services.agents.policies.heads import Heads
from tutelage.services.agents.policies.roles import Role
from tutelage.services.agents.ppo.biases import listening, signalling, with_others_words

SURE = np.eye(3)
UNSURE = np.full((3, 3), 1 / 3)
ORACLE = Reference(value=0.0, how="by construction")


@pytest.mark.parametrize(
    ("said", "entropy", "conditional"),
    [(SURE, math.log(3), 0.0), (UNSURE, math.log(3), math.log(3)), (SURE[[0, 0, 0]], 0.0, 0.0)],
)
def test_words_tell_what_their_distribution_over_situations_tells(
    said: np.ndarray, entropy: float, conditional: float
) -> None:
    told = message_information(said)
    assert told.entropy == pytest.approx(entropy, abs=1e-9)
    assert told.conditional == pytest.approx(conditional, abs=1e-9)
    assert told.mutual == pytest.approx(entropy - conditional, abs=1e-9)
    bias = signalling(torch.tensor(said).clamp_min(1e-9).log()[None], torch.ones(1, len(said)))
    assert bias.item() == pytest.approx(entropy - conditional, abs=1e-5)


def test_the_bias_leaves_out_situations_in_which_the_agent_is_mute() -> None:
    log_probs = torch.tensor(np.vstack([SURE, UNSURE])).clamp_min(1e-9).log()
    spoke = torch.tensor([[1, 1, 1, 0, 0, 0]]) > 0
    assert signalling(log_probs[None], spoke).item() == pytest.approx(math.log(3), abs=1e-5)


def test_the_bias_has_a_gradient_towards_words_that_differ_and_is_taken_for_each_seed_by_itself() -> None:
    scores = torch.tensor(np.random.default_rng(0).normal(size=(2, 4, 3)), requires_grad=True)
    both = signalling(scores.log_softmax(-1), torch.ones(2, 4))
    alone = signalling(scores[1:].log_softmax(-1), torch.ones(1, 4))
    assert both.shape == (2,)
    assert both[1].item() == pytest.approx(alone.item())
    both.sum().backward()
    better = (scores + 0.1 * scores.grad).detach()
    assert (signalling(better.log_softmax(-1), torch.ones(2, 4)) > both).all()


@pytest.mark.parametrize(
    ("others", "allowed", "differs"),
    [
        ([0.0, 0.0], None, 0.0),
        ([-20.0, 20.0], None, 1.0),
        ([20.0, -20.0], None, 1.0),
        ([-20.0, 20.0], [True, False], 0.0),
    ],
)
def test_listening_is_how_far_actions_change_with_the_words(
    others: list[float], allowed: list[bool] | None, differs: float
) -> None:
    heads = Heads(action=Discrete(num=2), symbols=3)
    outputs = torch.tensor([[[0.0, 0.0, 5.0, 1.0, 2.0]]])
    changed = torch.tensor([[[*others, 1.0, 9.0, 0.0]]])  # what is said in turn does not count
    legal = None if allowed is None else torch.tensor([[allowed]])
    assert listening(heads, outputs, changed, allowed=legal).tolist() == [[pytest.approx(differs, abs=1e-6)]]


def test_others_words_come_from_other_rows_of_the_same_seed_and_nothing_else_changes() -> None:
    role = Role(
        name="pair",
        agents=(0, 1),
        heads=Heads(action=Discrete(num=2)),
        observation=2,
        hears=3,
        entities=None,
        critic_inputs=0,
        critic_seen=0,
    )
    inputs = torch.arange(2 * 4 * 7.0).view(2, 4, 7)
    changed = with_others_words(inputs, role)
    assert changed[..., :2].equal(inputs[..., :2])
    assert changed[..., 5:].equal(inputs[..., 5:])
    assert changed[:, :, 2:5].equal(inputs[:, [3, 0, 1, 2], 2:5])


@pytest.mark.parametrize(
    ("acted", "influence"),
    [
        (np.repeat(SURE[:, None], 5, axis=1), math.log(3)),  # obeys: the word is the action
        (np.repeat(UNSURE[:, None], 5, axis=1), 0.0),
        (np.repeat(SURE[[1, 1, 1]][:, None], 5, axis=1), 0.0),  # sure, whatever is said
    ],
)
def test_words_influence_a_hearer_that_acts_on_them(acted: np.ndarray, influence: float) -> None:
    assert causal_influence(acted, np.full(3, 1 / 3)) == pytest.approx(influence, abs=1e-9)
    assert counterfactual_influence(acted, np.full((5, 3), 1 / 3)) == pytest.approx(influence, abs=1e-9)


def test_a_speaker_that_would_never_have_said_another_word_has_no_counterfactual_influence() -> None:
    obeys = np.repeat(SURE[:, None], 3, axis=1)
    assert counterfactual_influence(obeys, SURE) == pytest.approx(0.0, abs=1e-9)
    assert causal_influence(obeys, SURE.mean(0)) == pytest.approx(math.log(3), abs=1e-9)


def test_a_codebook_says_which_word_stands_for_which_situation() -> None:
    seen = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32)
    code = codebook("speaker", seen, np.array([2, 0, 2, 2]), num_words=3)
    assert code.situations is not None
    assert [(each.seen, each.word, each.count) for each in code.situations] == [([0.0, 1.0], 0, 2), ([1.0, 0.0], 2, 2)]
    assert [word.share for word in code.words] == [0.25, 0.0, 0.75]
    assert code.words[0].seen == [0.0, 1.0]
    assert code.words[1].seen is None
    assert code.consistency == 0.75
    assert code.distinct == 2


def test_a_codebook_of_too_many_situations_keeps_what_each_word_stands_for_on_average() -> None:
    seen = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    code = codebook("speaker", seen, (seen[:, 0] > 0).astype(np.int64), num_words=2)
    assert code.situations is None
    assert code.words[0].seen[0] < -0.5 < 0.5 < code.words[1].seen[0]


def test_silence_is_a_situation_without_a_word() -> None:
    code = codebook("speaker", np.zeros((3, 1), np.float32), np.array([-1, -1, 0]), num_words=2)
    assert code.situations is not None
    assert code.situations[0].word == -1
    assert code.situations[0].words == [0.3333, 0.0]


@pytest.mark.parametrize(("team", "score"), [(-1.0, 0.9), (0.0, 1.0), (3.0, 1.0), (-10.0, 0.0), (-12.0, 0.0)])
def test_the_score_is_the_won_share_of_what_a_link_can_win(team: float, score: float) -> None:
    returns = {"cut": np.full(8, -14.0), "shuffled": np.full(8, -10.0)}
    made = coordination(np.full(8, team), **returns, reference=ORACLE, random=np.random.default_rng(0))
    assert isinstance(made, Coordination)
    assert made.score.value == pytest.approx(score)
    assert made.intervention == "shuffled"
    assert made.gain.value == pytest.approx(team + 10.0)


def test_the_score_has_an_interval_that_holds_it() -> None:
    random = np.random.default_rng(0)
    cut, team = random.normal(-10, 2, 300), random.normal(-2, 2, 300)
    made = coordination(team, cut=cut, shuffled=cut - 1, reference=ORACLE, random=random)
    assert isinstance(made, Coordination)
    assert made.score.low < 0.8 < made.score.high
    assert made.score.high - made.score.low < 0.1
    assert made.as_dict()["score"]["value"] == pytest.approx(made.score.value, abs=1e-6)


@pytest.mark.parametrize(("reference", "reason"), [(None, "not known"), (Reference(value=-20.0, how=""), "not below")])
def test_there_is_no_score_without_something_to_win(reference: Reference | None, reason: str) -> None:
    returns = np.full(4, -10.0)
    made = coordination(returns, cut=returns, shuffled=returns, reference=reference, random=np.random.default_rng(0))
    assert isinstance(made, NoScore)
    assert reason in made.reason
    assert made.as_dict()["score"] is None


def test_the_oracle_comes_before_the_best_known() -> None:
    best = Reference(value=1.0, how="a long run")
    assert reference_of({"random": ORACLE, "best_known": best}) is best
    assert reference_of({"oracle": ORACLE, "best_known": best}) is ORACLE
    assert reference_of({"random": best}) is None
