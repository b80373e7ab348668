"""The memory: what is written, read, evicted, cleared, kept; and that sequences do not leak into one another."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from cognate_support import MEMORY, small_model, some_tokens
from safetensors.torch import save_file

from tutelage.services.cognate.artifacts import load_bank
from tutelage.services.cognate.model.bank import EMPTY, Bank, Writing, keep_best
from tutelage.services.cognate.model.causal_lm import CausalLM, surprise_of
from tutelage.services.cognate.model.memory import normalized_entropy
from tutelage.services.cognate.model.settings import MemorySettings


def written(model: CausalLM, tokens: torch.Tensor, bank: Bank, docs: torch.Tensor | None = None) -> Bank:
    output = model(tokens, memory=bank, docs=docs)
    surprise = surprise_of(model.logits(output.hidden), tokens)
    return model.write(output, surprise=surprise, docs=torch.zeros_like(tokens) if docs is None else docs)


def offer(scores: list[float], doc: int = 0) -> Writing:
    states = torch.arange(float(len(scores))).view(1, -1, 1)
    docs = torch.full((1, len(scores)), doc)
    return Writing(keys=states, values=states, score=torch.tensor([scores]), docs=docs)


def memory_of(rule: str, capacity: int) -> MemorySettings:
    return MemorySettings(d_mem=12, capacity=capacity, write_rule=rule)


def test_the_best_are_kept_and_the_lowest_evicted() -> None:
    bank = keep_best(Bank.empty(1, 2, 1), offer([0.3, 0.9, 0.1, 0.5]), current=torch.tensor([0]), decay=1.0)
    assert bank.keys.flatten().tolist() == [1.0, 3.0]
    assert bank.written.item() == 2


def test_what_is_not_read_loses_worth_by_the_segment() -> None:
    """0.9 unread for two segments is worth 0.9 / 4 = 0.225: less than a new 0.3; a read slot keeps its worth."""
    here = torch.tensor([0])
    bank = keep_best(Bank.empty(1, 1, 1), offer([0.9]), current=here, decay=0.5)
    kept = keep_best(bank, offer([0.3]), current=here, decay=0.5)
    assert kept.worth.item() == pytest.approx(0.9)
    assert keep_best(kept, offer([0.3]), current=here, decay=0.5).worth.item() == pytest.approx(0.3)
    just_read = Bank(**{**kept.tensors(), "idle": torch.full((1, 1), -1.0)})
    assert keep_best(just_read, offer([0.3]), current=here, decay=0.5).worth.item() == pytest.approx(0.9)


def test_another_document_clears_what_the_bank_holds() -> None:
    bank = keep_best(Bank.empty(1, 4, 1), offer([0.5, 0.6], doc=3), current=torch.tensor([3]), decay=1.0)
    assert bank.holds.sum().item() == 2
    bank = keep_best(bank, offer([0.1], doc=4), current=torch.tensor([4]), decay=1.0)
    assert bank.docs.tolist() == [[4, EMPTY, EMPTY, EMPTY]]
    assert bank.keys[~bank.holds].abs().sum().item() == 0


@pytest.mark.parametrize(("capacity", "segments"), [(8, 3), (20, 3), (5, 2)])
def test_fifo_holds_the_last_tokens(capacity: int, segments: int) -> None:
    model = small_model(memory=memory_of("fifo", capacity))
    bank, values = model.memory.empty(2), []
    for number in range(segments):
        tokens = some_tokens(seed=number)
        output = model(tokens, memory=bank)
        values.append(output.hidden.detach())
        bank = model.write(output, surprise=torch.zeros(2, 8), docs=torch.zeros_like(tokens))
    last = torch.cat(values, 1)[:, -capacity:].flip(1)
    assert torch.equal(bank.values[:, : last.shape[1]], last)
    assert bank.holds.sum().item() == 2 * min(capacity, 8 * segments)


def test_random_writing_keeps_all_alike_and_fills_the_bank() -> None:
    model = small_model(memory=memory_of("random", 6))
    torch.manual_seed(3)
    bank = written(model, some_tokens(), model.memory.empty(2))
    assert bank.holds.all()
    assert ((bank.worth >= 0) & (bank.worth < 1)).all()


def test_a_known_or_unsurprising_token_earns_no_slot() -> None:
    model, tokens = small_model(memory=memory_of("surprise", 32)), some_tokens()
    output = model(tokens, memory=model.memory.empty(2))
    docs = torch.zeros_like(tokens)
    surprise = torch.ones(2, 8)
    surprise[:, 2] = 0.0
    bank = model.write(output, surprise=surprise, docs=docs)
    assert bank.worth.sort(1, descending=True).values[:, :7].min() > 0
    assert (bank.worth == 0).sum(1).tolist() == [32 - 7] * 2
    again = model.write(model(tokens, memory=bank), surprise=torch.ones(2, 8), docs=docs)
    assert again.worth.amax(1).max().item() <= 1.0
    new = again.worth[(again.idle == 0) & again.holds]
    assert (new < 0.2).float().mean() > 0.5, "what the bank holds already is no novelty"


def test_sequences_do_not_leak_into_one_another() -> None:
    model, tokens = small_model(memory=MEMORY), some_tokens(2, 8)
    other = tokens.clone()
    other[1] = (other[1] + 13) % 50
    banks = [written(model, each, model.memory.empty(2)) for each in (tokens, other)]
    after = some_tokens(2, 8, seed=5)
    first, second = (model(after, memory=bank).hidden for bank in banks)
    assert torch.equal(first[0], second[0])
    assert not torch.allclose(first[1], second[1])


def test_a_document_does_not_read_what_another_wrote() -> None:
    model, after = small_model(memory=MEMORY), some_tokens(2, 8, seed=5)
    docs = torch.full((2, 8), 7)
    bank = written(model, some_tokens(), model.memory.empty(2), docs=torch.full((2, 8), 6))
    hidden = model(after, memory=bank, docs=docs).hidden
    assert not torch.allclose(hidden, model(after, memory=bank, docs=docs - 1).hidden)
    few = Bank(**{**bank.tensors(), "docs": torch.where(bank.holds, 5, bank.docs)})
    assert torch.equal(hidden, model(after, memory=few, docs=docs).hidden)


def test_reads_and_writes_are_counted() -> None:
    model, tokens = small_model(memory=MEMORY), some_tokens()
    fresh = model(tokens, memory=model.memory.empty(2))
    assert fresh.view.reads.item() == 0, "the prior is no memory"
    bank = written(model, tokens, model.memory.empty(2))
    assert bank.written.tolist() == [8, 8]
    seen = model(tokens, memory=bank).view
    assert 0 < seen.reads.item() <= 2 * 8 * 4 * 4
    assert 0 < seen.hits.sum().item() <= 16


def test_nothing_flows_back_into_past_segments() -> None:
    model, tokens = small_model(memory=MEMORY).train(), some_tokens()
    bank = written(model, tokens, model.memory.empty(2))
    assert not any(part.requires_grad for part in bank.tensors().values())
    model(some_tokens(seed=4), memory=bank).hidden.sum().backward()
    assert model.memory.key.weight.grad.abs().sum() > 0, "the projections learn from what is read"
    assert model.memory.prior.grad is not None


def test_a_bank_is_the_same_after_saving_and_loading(tmp_path: Path) -> None:
    model = small_model(memory=MEMORY)
    bank = written(model, some_tokens(), model.memory.empty(2))
    save_file(bank.tensors(), tmp_path / "bank.safetensors")
    loaded = load_bank(tmp_path / "bank.safetensors")
    assert all(torch.equal(part, loaded.tensors()[name]) for name, part in bank.tensors().items())
    after = some_tokens(seed=5)
    assert torch.equal(model(after, memory=bank).hidden, model(after, memory=loaded).hidden)


def test_a_read_that_is_wholly_clear_has_a_finite_gradient() -> None:
    logits = torch.tensor([200.0, 0.0, -1e30, -200.0], requires_grad=True)
    normalized_entropy(logits.softmax(-1)).backward()
    assert torch.isfinite(logits.grad).all()


def test_the_entropy_of_a_read_is_between_one_slot_and_all_alike() -> None:
    weights = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]])
    assert normalized_entropy(weights).tolist() == pytest.approx([0.0, 1.0], abs=1e-6)
    assert normalized_entropy(torch.ones(3, 1)).tolist() == [0.0, 0.0, 0.0]
