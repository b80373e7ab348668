"""Adaptive computation time keeps its invariants, and drops the work that it saves."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from cognate_support import ACT, RECURRENT, small_model, some_tokens

from tutelage.services.cognate.model.act import Ponder
from tutelage.services.cognate.model.active import Active
from tutelage.services.cognate.model.layers import SwiGLU
from tutelage.services.cognate.model.settings import ActSettings


@pytest.mark.parametrize("act", [ACT, RECURRENT], ids=["by depth", "recurrent"])
def test_weights_add_up_and_counts_stay_in_their_bounds(act: ActSettings) -> None:
    ponder = small_model(act=act)(some_tokens(16, 8)).ponder
    assert torch.allclose(ponder.spent, torch.ones_like(ponder.spent), atol=1e-6)
    assert ((ponder.steps >= 1) & (ponder.steps <= act.max_steps)).all()
    assert ((ponder.remainder >= 0) & (ponder.remainder <= 1)).all()
    assert not ponder.running.any()
    assert len(ponder.steps.unique()) > 1, "the case is worth testing: tokens halt at different steps"


def test_the_arithmetic_is_that_of_the_paper() -> None:
    """Probabilities 0.3, 0.5, 0.4 at threshold 0.99: three steps, R = 0.2, weights 0.3, 0.5, 0.2."""
    states = [torch.full((1, 1, 1), value) for value in (1.0, 10.0, 100.0)]
    ponder = Ponder.start(states[0])
    for state, probability in zip(states, (0.3, 0.5, 0.4), strict=True):
        ponder = ponder.advance(state, torch.tensor([[probability]]), threshold=0.99, is_last=False)
    assert ponder.steps.item() == 3
    assert ponder.remainder.item() == pytest.approx(0.2)
    assert ponder.cost.item() == pytest.approx(3.2)
    assert ponder.output.item() == pytest.approx(0.3 + 5 + 20)


def test_a_token_that_never_halts_ends_at_the_last_step() -> None:
    model = small_model(act=ACT)
    torch.nn.init.constant_(model.halting.unit.bias, -50.0)
    torch.nn.init.zeros_(model.halting.unit.weight)
    ponder = model(some_tokens()).ponder
    assert (ponder.steps == ACT.max_steps).all()
    assert torch.allclose(ponder.remainder, torch.ones_like(ponder.remainder))


def test_when_a_token_halts_hangs_on_nothing_later() -> None:
    model, tokens = small_model(act=RECURRENT), some_tokens(8, 8)
    changed = tokens.clone()
    changed[:, 4:] = (changed[:, 4:] + 11) % 50
    assert torch.equal(model(tokens).ponder.steps[:, :4], model(changed).ponder.steps[:, :4])


@pytest.mark.parametrize("act", [ACT, RECURRENT], ids=["by depth", "recurrent"])
def test_halted_tokens_are_left_out_of_the_feed_forward_work(act: ActSettings) -> None:
    """Each step's feed-forward sees exactly the tokens that still run."""
    model, rows = small_model(act=act), []

    def count(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        rows.append(inputs[0].numel() // inputs[0].shape[-1])

    for module in model.modules():
        if isinstance(module, SwiGLU):
            module.register_forward_pre_hook(count)
    ponder = model(some_tokens(4, 8)).ponder
    before = model.settings.n_layers - act.recur_last if act.recur_last else 0
    assert sum(rows) == before * 32 + int(ponder.steps.sum())
    assert rows[-1] < 32


@torch.no_grad()
def test_working_on_the_running_tokens_alone_gives_their_very_states() -> None:
    model, tokens = small_model(), some_tokens(3, 8)
    running = torch.rand(3, 8, generator=torch.Generator().manual_seed(2)) < 0.5
    running[0] = False
    from tutelage.services.cognate.model.attention import Window
    from tutelage.services.cognate.model.block import Surroundings

    x = model.embedding(tokens)
    around = Surroundings(window=Window.of(x, None, past=0, head_dim=4, rope_base=10_000.0))
    block = model.blocks[0]
    whole = block(x, around, shift=None, cache=None)
    some = block.forward_active(x, running, around, shift=None, cache=None)
    assert torch.allclose(some[running], whole[running], atol=1e-6)
    assert torch.equal(some[~running], x[~running])


def test_packing_keeps_order_and_place() -> None:
    running = torch.tensor([[True, False, True], [False, False, True]])
    active = Active.of(running)
    x = torch.arange(6.0).view(2, 3, 1)
    assert active.take(x)[active.valid].flatten().tolist() == [0.0, 2.0, 5.0]
    assert active.put(x, torch.tensor([[7.0], [8.0], [9.0]])).flatten().tolist() == [7.0, 1.0, 8.0, 3.0, 4.0, 9.0]


def test_a_dear_step_teaches_to_halt_at_once() -> None:
    """With a large tau the mean number of steps falls to 1, and the loss is bounded below."""
    model, tokens = small_model(varied=False, act=ACT).train(), some_tokens(4, 8)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2)
    for _ in range(80):
        output = model(tokens)
        loss = F.cross_entropy(model.logits(output.hidden).flatten(0, 1), tokens.flatten())
        loss = loss + 10.0 * output.ponder.cost.mean()
        assert loss.item() >= 10.0
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert model(tokens).ponder.steps.mean().item() == 1.0
