"""A loop other than `fit`, made of its parts: several optimizer steps on each rollout, as in reinforcement learning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tests.training.points import weight_hash
from tests.training.runs import answers, attempt_in, command, curve
from torch import Tensor, nn

from tutelage.core.commands import Command, Verb
from tutelage.core.ports import Run
from tutelage.training import (
    Clip,
    Keeper,
    Loss,
    Plan,
    Progress,
    Tuning,
    Updater,
    create_schedule,
    obey,
    read_checkpoint,
    seed_everything,
)

ARMS, EPOCHS, PLAYS = 5, 3, 32
PLAN = Plan(
    max_steps=12,
    optimizer={"name": "adam", "lr": 0.05},
    schedule={"name": "linear", "final": 0.1},
    clip=Clip(norm=0.5),
)


class Bandit:
    """A policy over some arms whose pay drifts: an environment with a state of its own."""

    def __init__(self) -> None:
        self.model = nn.Sequential(nn.Linear(ARMS, 8), nn.Tanh(), nn.Linear(8, ARMS))
        self.pay = torch.linspace(0, 1, ARMS)

    def rollout(self) -> tuple[Tensor, Tensor, Tensor]:
        """Play, and let the pay drift; random numbers are the process's own."""
        seen = (self.pay + 0.1 * torch.randn(PLAYS, ARMS)).detach()
        chosen = torch.multinomial(self.model(seen).softmax(-1).detach(), 1).squeeze(1)
        reward = self.pay[chosen]
        self.pay = (self.pay + 0.05 * torch.randn(ARMS)).clamp(0, 1)
        return seen, chosen, reward - reward.mean()

    def loss(self, seen: Tensor, chosen: Tensor, advantage: Tensor) -> Loss:
        likelihood = self.model(seen).log_softmax(-1).gather(1, chosen.unsqueeze(1)).squeeze(1)
        return Loss(total=-(likelihood * advantage).sum(), num_items=len(seen))

    def state_dict(self) -> Mapping[str, Any]:
        return {"pay": self.pay}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.pay = state["pay"]


def train(run: Run, *, rollouts: int, plan: Plan = PLAN) -> tuple[Bandit, str | None]:
    """Train rollout by rollout; a checkpoint after each."""
    seed_everything(run.seed)
    bandit = Bandit()
    folder = run.resume()
    saved = read_checkpoint(folder, bandit.model) if folder else None
    updater, schedule = Updater(bandit.model, plan), create_schedule(plan.schedule)
    tuning = Tuning(plan, updater.optimizer)
    keeper = Keeper(task=bandit, updater=updater, schedule=schedule, tuning=tuning, run=run)
    progress = Progress.from_state(saved.state["progress"]) if saved else Progress()
    if saved:
        keeper.restore(saved, progress)
    while progress.step < rollouts:
        ending = obey(run, tuning, step=progress.step, save=lambda: keeper.write(progress))
        if ending is not None:
            return bandit, ending
        played = bandit.rollout()
        updater.set_rates(lr=tuning["lr"] * schedule.factor(progress.step, max_steps=tuning.whole("max_steps")))
        for _ in range(EPOCHS):
            for rows in torch.randperm(PLAYS).split(PLAYS // 2):
                part = [each[rows] for each in played]
                update = updater.update([lambda part=part: bandit.loss(*part)])
        progress.step += 1
        run.metric(progress.step, policy_loss=update.loss, lr=updater.optimizer.param_groups[0]["lr"])
        keeper.write(progress)
    return bandit, None


def trained(folder: Path, *commands: Command, rollouts: int = 12) -> tuple[Bandit, str | None]:
    with attempt_in(folder, *commands) as run:
        return train(run, rollouts=rollouts)


def test_such_a_loop_goes_on_bit_for_bit_environment_included(tmp_path: Path) -> None:
    calm, _ = trained(tmp_path / "calm")
    trained(tmp_path / "halted", rollouts=5)
    resumed, _ = trained(tmp_path / "halted")
    assert weight_hash(resumed.model) == weight_hash(calm.model)
    assert torch.equal(resumed.pay, calm.pay)
    assert curve(tmp_path / "halted", "policy_loss") == curve(tmp_path / "calm", "policy_loss")


def test_such_a_loop_obeys(tmp_path: Path) -> None:
    _, ending = trained(tmp_path, command(Verb.TUNE, lr=0.01), command(Verb.PAUSE))
    assert ending == "pause"
    assert answers(tmp_path) == [("tune", "applied", 0), ("pause", "applied", 0)]
    trained(tmp_path, rollouts=1)
    assert curve(tmp_path, "lr") == {1: 0.01}


def test_a_loop_may_have_tunables_of_its_own() -> None:
    updater = Updater(Bandit().model, PLAN)
    tuning = Tuning(PLAN, updater.optimizer, own={"entropy": 0.01})
    assert tuning.change({"entropy": 0.5, "lr": 0.1}) == "entropy = 0.5, lr = 0.1"
    assert (tuning["entropy"], tuning["lr"]) == (0.5, 0.1)
    later = Tuning(PLAN, updater.optimizer, own={"entropy": 0.01})
    later.load_state_dict(tuning.state_dict())
    assert later["entropy"] == 0.5
