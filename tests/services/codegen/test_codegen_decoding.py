"""Every search against a slow one that computes the whole sequence anew for each token."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from codegen_model_support import EOS_ID, SOS_ID, toy_model, toy_sources

from tutelage.services.codegen.config import DecodingConfig
from tutelage.services.codegen.decoding.beam import beam_search
from tutelage.services.codegen.decoding.drafting import proposal, write_from_draft
from tutelage.services.codegen.decoding.sampling import sample
from tutelage.services.codegen.decoding.scores import cut, drawn, log_softmax
from tutelage.services.codegen.decoding.write import write
from tutelage.services.codegen.engines.torch_engine import TorchEngine
from tutelage.services.codegen.model.transformer import Transformer

MOST = 12


@pytest.fixture(scope="module")
def model() -> Transformer:
    return toy_model(seed=3)


@pytest.fixture(scope="module")
def sources() -> list[list[int]]:
    return [[token for token in row if token] for row in toy_sources(6, seed=5).tolist()]


@torch.no_grad()
def next_scores(model: Transformer, source: list[int], ids: tuple[int, ...]) -> np.ndarray:
    """Return log-probabilities of the next token, from the whole sequence."""
    logits = model(torch.tensor([source]), torch.tensor([[SOS_ID, *ids]]))[0, -1].double().numpy()
    logits[:3] = -np.inf
    return log_softmax(logits[None])[0]


def slow_greedy(model: Transformer, source: list[int]) -> tuple[tuple[int, ...], float]:
    ids: tuple[int, ...] = ()
    total = 0.0
    for _ in range(MOST):
        scores = next_scores(model, source, ids)
        token = int(scores.argmax())
        total += scores[token]
        if token == EOS_ID:
            break
        ids = (*ids, token)
    return ids, total


def slow_beam(model: Transformer, source: list[int], beam: int, penalty: float) -> tuple[tuple[int, ...], float]:
    alive: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
    ended: list[tuple[tuple[int, ...], float]] = []
    for _ in range(MOST):
        candidates = []
        for ids, total in alive:
            scores = next_scores(model, source, ids)
            candidates += [(total + scores[token], ids, token) for token in range(len(scores))]
        ranked = sorted((item for item in candidates if math.isfinite(item[0])), key=lambda item: -item[0])
        alive = []
        for rank, (total, ids, token) in enumerate(ranked[: 2 * beam]):
            if len(alive) == beam:
                break
            if token != EOS_ID:
                alive.append(((*ids, token), total))
            elif rank < beam:
                ended.append((ids, total))
        if len(ended) >= beam:
            break
    return max(ended or alive, key=lambda item: item[1] / (len(item[0]) + 1) ** penalty)


def test_greedy_is_that_of_the_slow_reference(model, sources):
    found = sample(TorchEngine(model), sources, DecodingConfig(), max_tokens=MOST)
    for source, written in zip(sources, found, strict=True):
        ids, total = slow_greedy(model, source)
        assert written.ids == ids
        assert written.log_prob == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize(("beam", "penalty"), [(2, 0.0), (3, 1.0), (5, 0.6)])
def test_beam_search_is_that_of_the_slow_reference(model, sources, beam, penalty):
    config = DecodingConfig(beam=beam, length_penalty=penalty)
    found = beam_search(TorchEngine(model), sources, config, max_tokens=MOST)
    for source, written in zip(sources, found, strict=True):
        ids, total = slow_beam(model, source, beam, penalty)
        assert written.ids == ids
        assert written.log_prob == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize("settings", [{"top_k": 5}, {"top_p": 0.7}, {"temperature": 1.5}, {"top_k": 8, "top_p": 0.9}])
def test_draws_are_those_of_the_slow_reference(model, sources, settings):
    config = DecodingConfig.model_validate({"temperature": 1.0, "seed": 7, **settings})
    found = sample(TorchEngine(model), sources, config, max_tokens=MOST)
    for row, (source, written) in enumerate(zip(sources, found, strict=True)):
        draw, ids = np.random.default_rng([7, row]), ()
        while len(ids) < MOST:
            chances = cut(
                next_scores(model, source, ids)[None],
                temperature=config.temperature,
                top_k=config.top_k,
                top_p=config.top_p,
            )
            token = int(drawn(chances, np.array([draw.random()]))[0])
            if token == EOS_ID:
                break
            ids = (*ids, token)
        assert written.ids == ids


def test_several_tokens_in_one_step_score_as_one_by_one(model):
    engine = TorchEngine(model)
    source, ids = toy_sources(2), np.array([[2, 8, 9, 10], [2, 5, 6, 7]])
    cache = engine.open(engine.encode(source), max_tokens=8)
    singly = np.concatenate([engine.step(ids[:, place : place + 1], cache) for place in range(4)], axis=1)
    cache = engine.open(engine.encode(source), max_tokens=8)
    np.testing.assert_allclose(engine.step(ids, cache), singly, rtol=1e-4, atol=1e-5)


def test_what_is_rewound_is_written_anew(model):
    engine, source = TorchEngine(model), toy_sources(2)
    cache = engine.open(engine.encode(source), max_tokens=8)
    engine.step(np.array([[2], [2]]), cache)
    wanted = engine.step(np.array([[9], [9]]), cache)
    cache.rewind(1)
    engine.step(np.array([[5, 6], [7, 8]]), cache)
    cache.rewind(1)
    np.testing.assert_allclose(engine.step(np.array([[9], [9]]), cache), wanted, rtol=1e-5, atol=1e-6)


def test_rows_are_kept_in_the_order_that_is_asked(model):
    engine, source = TorchEngine(model), toy_sources(3)
    cache = engine.open(engine.encode(source), max_tokens=8)
    engine.step(np.array([[2], [2], [2]]), cache)
    wanted = engine.step(np.array([[9], [10], [11]]), cache)
    cache.rewind(1)
    cache.select([2, 0, 2])
    assert cache.num_rows == 3
    found = engine.step(np.array([[11], [9], [11]]), cache)
    np.testing.assert_allclose(found, wanted[[2, 0, 2]], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("verify_tokens", [1, 3, 8])
def test_a_draft_changes_the_steps_but_not_the_text(model, sources, verify_tokens):
    engine = TorchEngine(model)
    plain = sample(engine, sources, DecodingConfig(), max_tokens=MOST)
    for source, written in zip(sources, plain, strict=True):
        for drafts in ([], [list(written.ids)], [[5, 6, 7, 8, 9]], [list(written.ids[2:]), [4, 4]]):
            found = write_from_draft(engine, source, drafts, max_tokens=MOST, verify_tokens=verify_tokens)
            assert (found.ids, found.is_ended) == (written.ids, written.is_ended)
        helped = write_from_draft(engine, source, [list(written.ids)], max_tokens=MOST, verify_tokens=verify_tokens)
        assert helped.num_steps < written.num_steps or written.num_steps < 3


def test_a_draft_goes_on_after_the_longest_match():
    assert proposal([2, 5, 6], [[2, 9, 6, 7], [4, 5, 6, 8, 9]], at_most=2) == [8, 9]
    assert proposal([2], [[2, 9, 6, 3]], at_most=8) == [9, 6]
    assert proposal([2, 11], [[2, 9, 6, 3]], at_most=8) == []


class Only:
    """Allows some tokens, and the end after three of them."""

    def __init__(self, tokens: list[int], written: int = 0) -> None:
        self._tokens, self._written = tokens, written

    def allowed(self) -> np.ndarray:
        allowed = np.zeros(24, dtype=bool)
        allowed[self._tokens if self._written < 3 else [EOS_ID]] = True
        return allowed

    def advance(self, id: int) -> None:
        assert self.allowed()[id]
        self._written += 1

    def fork(self) -> Only:
        return Only(self._tokens, self._written)


@pytest.mark.parametrize("settings", [{}, {"beam": 3}, {"temperature": 1.0}])
def test_a_mask_holds_in_every_search(model, sources, settings):
    config = DecodingConfig.model_validate(settings)
    found = write(
        TorchEngine(model), sources, config, max_tokens=MOST, mask_for=lambda place: Only([7, 8, 9]), batch_size=4
    )
    assert all(written.is_ended and len(written.ids) == 3 and set(written.ids) <= {7, 8, 9} for written in found)


def test_a_mask_holds_in_a_draft(model, sources):
    engine = TorchEngine(model)
    plain = sample(engine, sources[:1], DecodingConfig(), max_tokens=MOST, masks=[Only([7, 8, 9])])[0]
    found = write_from_draft(
        engine, sources[0], [[7, 8, 10, 7]], max_tokens=MOST, verify_tokens=4, mask=Only([7, 8, 9])
    )
    assert (found.ids, found.is_ended) == (plain.ids, True)


@pytest.mark.parametrize("settings", [{}, {"beam": 2}])
def test_a_mask_without_any_token_ends_the_program(model, sources, settings):
    found = write(
        TorchEngine(model),
        sources,
        DecodingConfig.model_validate(settings),
        max_tokens=MOST,
        mask_for=lambda place: Only([]),
    )
    assert all(written.ids == () and not written.is_ended for written in found)


def test_batches_do_not_change_what_is_written(model, sources):
    config = DecodingConfig(temperature=1.0, top_p=0.9)
    engine = TorchEngine(model)
    small = write(engine, sources, config, max_tokens=MOST, batch_size=2)
    large = write(engine, sources, config, max_tokens=MOST, batch_size=64)
    assert [item.ids for item in small] == [item.ids for item in large]


def test_nucleus_keeps_the_smallest_set_that_reaches_the_share():
    logits = np.log(np.array([[0.5, 0.3, 0.15, 0.05]]))
    kept = cut(logits, temperature=1.0, top_k=None, top_p=0.79)
    np.testing.assert_allclose(kept, [[0.625, 0.375, 0, 0]], atol=1e-6)
    kept = cut(logits, temperature=1.0, top_k=3, top_p=None)
    np.testing.assert_allclose(kept, np.array([[0.5, 0.3, 0.15, 0]]) / 0.95, atol=1e-6)
