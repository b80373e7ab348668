"""Optimizers by name: torch's own, step for step; Lion as its paper has it; decay where it belongs."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from tests.training.points import PointsTask
from torch import Tensor, nn

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.core.training import OPTIMIZERS
from tutelage.training import Group, Lion, create_optimizer, parameter_groups
from tutelage.training.optimizers import TORCH, MuonWithAdamW, load_named_state, named_state

OPTIONS: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "adam": {"betas": [0.9, 0.95], "weight_decay": 0.01},
    "adamw": {"betas": [0.9, 0.95], "weight_decay": 0.1},
    "rmsprop": {"alpha": 0.9, "centered": True, "momentum": 0.5},
    "asgd": {"t0": 10},
    "rprop": {"step_sizes": [1e-6, 0.1]},
    "nadam": {"decoupled_weight_decay": True, "weight_decay": 0.01},
}


def matrices(*, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))


def descend(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 50) -> list[Tensor]:
    draw = torch.Generator().manual_seed(1)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(8, 5, generator=draw)).square().mean().backward()
        optimizer.step()
    return [param.detach().clone() for param in model.parameters()]


@pytest.mark.parametrize("name", sorted(TORCH))
def test_each_of_torch_is_torch_for_fifty_steps(name: str) -> None:
    options = OPTIONS.get(name, {})
    ours, theirs = matrices(), matrices()
    made = create_optimizer(ours.parameters(), {"name": name, "lr": 1e-2, **options})
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    torch_s = TORCH[name](theirs.parameters(), lr=1e-2, **plain)
    torch.testing.assert_close(descend(ours, made), descend(theirs, torch_s), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "adagrad"])
def test_it_is_fused_where_torch_has_that(name: str) -> None:
    assert create_optimizer(matrices().parameters(), {"name": name, "lr": 1e-2}).param_groups[0]["fused"]


def test_muon_is_torch_s_for_matrices_and_adamw_for_the_rest() -> None:
    ours, theirs = matrices(), matrices()
    made = create_optimizer(parameter_groups(ours), {"name": "muon", "lr": 1e-2, "weight_decay": 0.1})
    weights, biases = [theirs[0].weight, theirs[2].weight], [theirs[0].bias, theirs[2].bias]
    muon = torch.optim.Muon(weights, lr=1e-2, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW(biases, lr=1e-2, weight_decay=0.0, fused=True)
    got = descend(ours, made)

    class Both:
        def zero_grad(self) -> None:
            theirs.zero_grad()

        def step(self) -> None:
            muon.step()
            adamw.step()

    torch.testing.assert_close(got, descend(theirs, Both()))  # type: ignore[arg-type]


def test_muon_leaves_embeddings_and_named_matrices_to_adamw() -> None:
    model = nn.ModuleDict({"tokens": nn.Embedding(5, 4), "body": nn.Linear(4, 4), "head": nn.Linear(4, 5)})
    made = create_optimizer(parameter_groups(model), {"name": "muon", "lr": 1e-3, "adamw_for": ["head.*"]})
    assert isinstance(made, MuonWithAdamW)
    names = {"momentum" in group: set(group["names"]) for group in made.param_groups if "momentum" in group}
    assert names == {True: {"body.weight"}}


def test_lion_is_its_paper_s_algorithm() -> None:
    ours, theirs = matrices(), matrices()
    got = descend(ours, Lion(ours.parameters(), lr=1e-2, betas=(0.9, 0.99), weight_decay=0.1))
    params = list(theirs.parameters())
    means = [torch.zeros_like(param) for param in params]

    class Reference:
        def zero_grad(self) -> None:
            theirs.zero_grad()

        @torch.no_grad()
        def step(self) -> None:
            for param, mean in zip(params, means, strict=True):
                grad = param.grad
                assert grad is not None
                update = torch.sign(0.9 * mean + 0.1 * grad)
                param -= 1e-2 * (update + 0.1 * param)
                mean.copy_(0.99 * mean + 0.01 * grad)

    torch.testing.assert_close(got, descend(theirs, Reference()), rtol=1e-5, atol=1e-5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"name": "adanw"}, r"unknown optimizer 'adanw'. Did you mean 'adamw'"),
        ({"name": "adamw", "weight_decai": 0.1}, r"'weight_decai'. Did you mean 'weight_decay'"),
        ({"name": "sgd", "betas": [0.9, 0.9]}, r"unknown key of optimizer 'sgd' 'betas'"),
    ],
)
def test_an_unknown_name_or_key_is_answered_with_the_nearest(config: dict[str, Any], says: str) -> None:
    with pytest.raises(UnknownName, match=says):
        create_optimizer(matrices().parameters(), config)


@pytest.mark.parametrize("name", sorted(TORCH))
def test_every_key_is_one_of_torch_s(name: str) -> None:
    known = set(inspect.signature(TORCH[name]).parameters)
    assert known >= OPTIMIZERS[name]
    assert "lr" in known


def test_norms_biases_and_embeddings_do_not_decay() -> None:
    model = nn.ModuleDict({"tokens": nn.Embedding(5, 4), "norm": nn.LayerNorm(4), "head": nn.Linear(4, 5)})
    made = create_optimizer(parameter_groups(model), {"name": "adamw", "lr": 1e-3, "weight_decay": 0.1})
    decays = {name: group["weight_decay"] for group in made.param_groups for name in group["names"]}
    assert {name for name, decay in decays.items() if decay} == {"head.weight"}


def test_a_group_has_its_own_rate_and_decay_and_the_first_match_counts() -> None:
    model = matrices()
    groups = (Group(pattern="0.*", lr_scale=0.1, weight_decay=0.5), Group(pattern="*.bias", lr_scale=2.0))
    made = create_optimizer(parameter_groups(model, groups), {"name": "adamw", "lr": 1.0, "weight_decay": 0.1})
    found = {name: (group["lr"], group["weight_decay"]) for group in made.param_groups for name in group["names"]}
    assert found == {"0.weight": (0.1, 0.5), "0.bias": (0.1, 0.5), "2.weight": (1.0, 0.1), "2.bias": (2.0, 0.0)}


def test_a_pattern_that_matches_nothing_names_the_nearest() -> None:
    with pytest.raises(InvalidSpec, match=r"'0.weigth' matches no parameter; the nearest is '0.weight'"):
        parameter_groups(matrices(), (Group(pattern="0.weigth"),))


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_state_by_name_outlives_another_order_of_groups(name: str) -> None:
    first, second = PointsTask(seed=1).model, PointsTask(seed=1).model
    config = {"name": name, "lr": 1e-3}
    one = create_optimizer(parameter_groups(first), config)
    other = create_optimizer(parameter_groups(second, (Group(pattern="4.*"), Group(pattern="0.*", lr_scale=2))), config)
    first(torch.ones(2, 6)).sum().backward()
    one.step()
    saved = named_state(one, {param: key for key, param in first.named_parameters()})
    load_named_state(other, {param: key for key, param in second.named_parameters()}, saved)
    again = named_state(other, {param: key for key, param in second.named_parameters()})
    assert again.keys() == saved.keys()
    for key, state in saved.items():
        torch.testing.assert_close(again[key], state, rtol=0, atol=0)
