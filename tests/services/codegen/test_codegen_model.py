from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from codegen_model_support import toy_model, toy_pairs, toy_sources
from safetensors.torch import load_model, save_model

from tutelage.services.codegen.config import CodegenConfig
from tutelage.services.codegen.model.breakdown import parameter_breakdown, stack_parameters
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.training import gradient_error


def test_logits_have_a_score_for_each_token_that_can_be_written():
    model = toy_model()
    logits = model(torch.from_numpy(toy_sources(3)), torch.randint(4, 24, (3, 7)))
    assert logits.shape == (3, 7, 24)


def test_padding_of_the_source_changes_nothing():
    model = toy_model()
    source, target = torch.tensor([[5, 6, 7]]), torch.tensor([[2, 8, 9]])
    padded = F.pad(source, (0, 5))
    torch.testing.assert_close(model(source, target), model(padded, target), rtol=1e-5, atol=1e-6)


def test_a_token_is_not_seen_before_it_is_written():
    model = toy_model()
    source = torch.tensor([[5, 6, 7]])
    one = model(source, torch.tensor([[2, 8, 9, 10]]))
    other = model(source, torch.tensor([[2, 8, 11, 12]]))
    torch.testing.assert_close(one[:, :2], other[:, :2])
    assert not torch.allclose(one[:, 2:], other[:, 2:])


@pytest.mark.parametrize("activation", ["gelu", "swiglu"])
def test_gradients_agree_with_finite_differences(activation):
    model = toy_model(activation=activation).double()
    source, target = torch.from_numpy(toy_sources(3)), torch.randint(4, 24, (3, 6))

    def loss() -> torch.Tensor:
        return F.cross_entropy(model(source, target[:, :-1]).flatten(0, 1), target[:, 1:].flatten())

    assert gradient_error(loss, model.parameters()) < 1e-6


def test_every_parameter_gets_a_gradient():
    model = toy_model()
    model(torch.from_numpy(toy_sources(2)), torch.randint(4, 24, (2, 6))).square().mean().backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("preset", ["tiny", "small", "fast", "seed"])
def test_the_breakdown_adds_up(preset):
    config = CodegenConfig.model_validate({"preset": preset}).model
    with torch.device("meta"):
        model = Transformer(config)
    breakdown = parameter_breakdown(model)
    counted = sum(parameter.numel() for parameter in model.parameters())
    assert breakdown["total"] == counted
    assert sum(count for part, count in breakdown.items() if part != "total") == counted


def test_seed_has_44_million_parameters_in_its_stacks():
    with torch.device("meta"):
        model = Transformer(CodegenConfig.model_validate({"preset": "seed"}).model)
    assert stack_parameters(parameter_breakdown(model)) == 44_140_544


def test_the_model_overfits_twenty_pairs_to_exact_match():
    model = toy_model().train()
    pairs = toy_pairs(20)
    source = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row, _ in pairs], batch_first=True)
    target = torch.nn.utils.rnn.pad_sequence([torch.tensor([2, *row, 3]) for _, row in pairs], batch_first=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(250):
        loss = F.cross_entropy(model(source, target[:, :-1]).flatten(0, 1), target[:, 1:].flatten(), ignore_index=0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    said = model.eval()(source, target[:, :-1]).argmax(-1)
    counted = target[:, 1:] != 0
    assert bool((said == target[:, 1:])[counted].all())


def test_weights_are_bit_identical_after_a_round_trip(tmp_path: Path):
    model, other = toy_model(seed=1), toy_model(seed=2)
    save_model(model, str(tmp_path / "model.safetensors"))
    load_model(other, tmp_path / "model.safetensors")
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), other.parameters(), strict=True))
    source, target = torch.from_numpy(toy_sources(2)), torch.randint(4, 24, (2, 6))
    assert torch.equal(model(source, target), other(source, target))
