"""The model: shapes, causality, dropped tokens, gradients, parameters, overfitting on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from cognate_support import FORMS, MEMORY, RECURRENT, small_model, some_tokens

from tutelage.services.cognate.building import model_settings
from tutelage.services.cognate.config import CognateConfig
from tutelage.services.cognate.model.attention import KeyValueCache
from tutelage.services.cognate.model.breakdown import bank_bytes, parameter_breakdown
from tutelage.services.cognate.model.causal_lm import CausalLM, surprise_of
from tutelage.services.cognate.model.settings import ModelSettings
from tutelage.training import gradient_error


def read(model: CausalLM, tokens: torch.Tensor, *, docs: torch.Tensor | None = None) -> torch.Tensor:
    """Return logits after one written segment, where there is a memory."""
    bank = None
    if model.memory is not None:
        bank = model.memory.empty(tokens.shape[0])
        before = some_tokens(*tokens.shape, seed=9)
        seen = model(before, memory=bank)
        surprise = surprise_of(model.logits(seen.hidden), before)
        bank = model.write(seen, surprise=surprise, docs=torch.zeros_like(before))
    return model.logits(model(tokens, memory=bank, docs=docs).hidden)


@pytest.mark.parametrize("form", FORMS)
def test_logits_have_a_place_for_each_token_of_the_vocabulary(form: str) -> None:
    logits = read(small_model(**FORMS[form]), some_tokens(3, 7))
    assert logits.shape == (3, 7, 50)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("form", FORMS)
def test_no_token_sees_a_later_one(form: str) -> None:
    model, tokens = small_model(**FORMS[form]), some_tokens()
    changed = tokens.clone()
    changed[:, 5:] = (changed[:, 5:] + 7) % 50
    before, after = read(model, tokens), read(model, changed)
    assert torch.allclose(before[:, :5], after[:, :5], atol=1e-6)
    assert not torch.allclose(before[:, 5:], after[:, 5:], atol=1e-3)


@pytest.mark.parametrize("form", FORMS)
def test_documents_in_one_row_do_not_see_one_another(form: str) -> None:
    model, tokens = small_model(**FORMS[form]), some_tokens()
    docs = torch.tensor([[0, 0, 0, 1, 1, 1, 1, 1]] * 2)
    changed = tokens.clone()
    changed[:, :3] = (changed[:, :3] + 7) % 50
    before, after = read(model, tokens, docs=docs), read(model, changed, docs=docs)
    assert torch.allclose(before[:, 3:], after[:, 3:], atol=1e-6)


@pytest.mark.parametrize("chunks", [[1] * 8, [5, 3], [3, 1, 4]])
@pytest.mark.parametrize("form", FORMS)
@torch.no_grad()
def test_a_cache_of_keys_and_values_changes_nothing(form: str, chunks: list[int]) -> None:
    model, tokens = small_model(**FORMS[form]), some_tokens()
    bank = model.memory.empty(2) if model.memory else None
    whole = model.logits(model(tokens, memory=bank).hidden)
    cache = KeyValueCache()
    parts = [model.logits(model(part, memory=bank, cache=cache).hidden) for part in tokens.split(chunks, 1)]
    assert torch.allclose(torch.cat(parts, 1), whole, atol=2e-6)


@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_those_of_finite_differences(form: str) -> None:
    """In float64; away from the steps of the loss: halting stays below its threshold, and every slot is read."""
    parts = {**FORMS[form], **({"memory": replace(MEMORY, capacity=4)} if "memory" in FORMS[form] else {})}
    model = small_model(varied=False, d_model=8, n_heads=2, **parts).double()
    tokens = some_tokens(2, 5)

    def loss() -> torch.Tensor:
        output = model(tokens, memory=model.memory.empty(2) if model.memory else None)
        ponder = output.ponder.cost.mean() if output.ponder is not None else 0.0
        return F.cross_entropy(model.logits(output.hidden).flatten(0, 1), tokens.flatten()) + 0.1 * ponder

    assert gradient_error(loss, model.parameters()) < 1e-5


@pytest.mark.parametrize("form", FORMS)
def test_it_overfits_a_few_samples(form: str) -> None:
    model, tokens = small_model(varied=False, **FORMS[form]).train(), some_tokens(4, 8)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(120):
        output = model(tokens[:, :-1], memory=model.memory.empty(4) if model.memory else None)
        loss = F.cross_entropy(model.logits(output.hidden).flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2


def test_the_25m_preset_counts_25_million_parameters() -> None:
    model = CausalLM(model_settings(CognateConfig(preset="25m")))
    parts = parameter_breakdown(model)
    assert 25_000_000 <= parts["total"] <= 25_100_000
    assert parts["total"] == sum(parameter.numel() for parameter in model.parameters())
    assert parts["total"] == sum(count for name, count in parts.items() if name != "total")
    known = {"embedding": 6_912_000, "head": 6_912_000, "memory_prior": 884_736, "memory_projections": 93_312}
    layers = {"attention": 11 * 186_624, "feed_forward": 11 * 559_872, "memory_attention": 11 * 186_624}
    assert {name: parts[name] for name in (*known, *layers)} == known | layers
    assert 7_000_000 < bank_bytes(model) < 7_200_000


def test_a_tied_head_counts_once() -> None:
    tied, untied = small_model(tie_embeddings=True), small_model()
    assert parameter_breakdown(untied)["total"] - parameter_breakdown(tied)["total"] == 50 * 16


def test_settings_survive_json() -> None:
    settings = small_model(act=RECURRENT, memory=MEMORY).settings
    assert ModelSettings.of(settings.document()) == settings
