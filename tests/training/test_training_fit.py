"""The loop: what it tells, what it obeys, when it ends, what it refuses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.points import PointsTask, weight_hash
from tests.training.runs import answers, ask, attempt_in, command, curve, events, logged
from torch import Tensor, nn

from tutelage.core.commands import Command, Verb
from tutelage.core.errors import DamagedFile, InvalidSpec
from tutelage.core.events import EventKind
from tutelage.core.training import training_metrics
from tutelage.training import (
    EarlyStopping,
    GrokFast,
    Loss,
    NonFinite,
    NonFiniteGradient,
    Outcome,
    Plan,
    fit,
    load_best,
    read_checkpoint,
    write_checkpoint,
)
from tutelage.training.checkpoint import migrated

PLAN = Plan(max_steps=8, optimizer={"name": "adamw", "lr": 1e-2}, evaluate_every=2, checkpoint_every=4)


def train(folder: Path, plan: Plan = PLAN, *commands: Command, task: Any = None) -> tuple[Any, Outcome]:
    made = task or PointsTask(seed=1)
    with attempt_in(folder, *commands) as run:
        return made, fit(made, plan, run)


def checkpoints(folder: Path) -> list[int]:
    return sorted(int(path.name) for path in (folder / "checkpoints").iterdir())


def test_it_tells_every_step_in_the_names_of_the_glossary(tmp_path: Path) -> None:
    _, outcome = train(tmp_path, replace(PLAN, grokfast=GrokFast(), ratio_every=3, item="row"))
    declared = {metric.name for metric in training_metrics(item="row")}
    told = {name for event in events(tmp_path, EventKind.METRIC) for name in event.data.get("values", {})}
    assert told - declared == {"val_loss", "train_accuracy"}
    assert list(curve(tmp_path, "train_loss")) == list(range(1, 9))
    assert list(curve(tmp_path, "val_loss")) == [2, 4, 6, 8]
    assert list(curve(tmp_path, "update_ratio")) == [3, 6]
    assert (outcome.ended_by, outcome.steps) == ("max_steps", 8)
    assert outcome.best_value == min(curve(tmp_path, "val_loss").values())
    assert events(tmp_path, EventKind.PROGRESS)[-1].data["done"] == 8
    [defined] = [event.data["define"] for event in events(tmp_path, EventKind.METRIC) if "define" in event.data]
    assert defined["val_loss"]["objective"] is True


def test_fewer_lines_are_told_where_asked_for(tmp_path: Path) -> None:
    train(tmp_path, replace(PLAN, log_every=3))
    assert list(curve(tmp_path, "train_loss")) == [1, 3, 6]


def test_evaluations_and_samples_do_not_change_the_training(tmp_path: Path) -> None:
    quiet, _ = train(tmp_path / "quiet", replace(PLAN, evaluate_every=0))
    often, _ = train(tmp_path / "often", replace(PLAN, evaluate_every=1))
    assert weight_hash(often.model) == weight_hash(quiet.model)
    assert list(curve(tmp_path / "quiet", "val_loss")) == [8], "the end is always evaluated"


def test_the_averaged_weights_are_what_is_evaluated_and_best(tmp_path: Path) -> None:
    plan = replace(PLAN, ema_decay=0.9, evaluate_every=1)
    task = PointsTask(seed=1)
    with attempt_in(tmp_path) as run:
        outcome = fit(task, plan, run)
        live = task.evaluate()["val_loss"]
        assert load_best(task.model, run, outcome)
    task.model.eval()
    assert task.evaluate()["val_loss"] == pytest.approx(outcome.best_value, rel=1e-6)
    assert live != outcome.best_value


def test_the_best_step_keeps_a_checkpoint(tmp_path: Path) -> None:
    plan = replace(PLAN, max_steps=60, optimizer={"name": "adamw", "lr": 0.1}, checkpoint_every=10, evaluate_every=3)
    _, outcome = train(tmp_path, plan)
    assert outcome.best_step in checkpoints(tmp_path)
    assert outcome.best_step < 60


def test_a_waiting_tune_takes_effect_at_the_first_boundary(tmp_path: Path) -> None:
    plan = replace(PLAN, grokfast=GrokFast(), tunable_names={"learning_rate": "lr"})
    tune = command(Verb.TUNE, learning_rate=0.5, grokfast_lamb=3.0, max_steps=5)
    _, outcome = train(tmp_path, plan, tune)
    assert curve(tmp_path, "lr") == dict.fromkeys(range(1, 6), 0.5)
    assert outcome.steps == 5
    assert answers(tmp_path) == [("tune", "applied", 0)]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"grokfast_lamb": 1.0}, "unknown tunable of this training 'grokfast_lamb'"),
        ({"lr": -1}, "lr must be a number >= 0"),
        ({"max_steps": 2.5}, "max_steps must be a whole number"),
    ],
)
def test_a_tune_that_means_nothing_is_refused_and_changes_nothing(
    args: dict[str, Any], says: str, tmp_path: Path
) -> None:
    train(tmp_path, PLAN, command(Verb.TUNE, **args))
    assert answers(tmp_path)[0][:2] == ("tune", "refused")
    assert says in events(tmp_path, EventKind.APPLIED)[0].data["detail"]
    assert set(curve(tmp_path, "lr").values()) == {1e-2}


def test_tuned_values_outlive_a_pause_but_not_a_branch_that_sets_them(tmp_path: Path) -> None:
    plan = replace(PLAN, schedule={"name": "constant"})
    _, left = train(tmp_path, plan, command(Verb.TUNE, lr=0.5), command(Verb.PAUSE))
    assert left.is_left
    train(tmp_path, replace(plan, max_steps=2))
    assert set(curve(tmp_path, "lr").values()) == {0.5}
    train(tmp_path, replace(plan, max_steps=4, optimizer={"name": "adamw", "lr": 0.25}))
    assert curve(tmp_path, "lr")[4] == 0.25


@pytest.mark.parametrize(("verb", "is_left"), [(Verb.STOP, False), (Verb.PAUSE, True), (Verb.CANCEL, True)])
def test_what_ends_it_is_followed(verb: Verb, is_left: bool, tmp_path: Path) -> None:
    class Asked(PointsTask):
        def batch(self, position: int) -> tuple[Tensor, Tensor]:
            if position == 3:
                ask(tmp_path, command(verb))
                self._pause_s = 0.06
            return super().batch(position)

    _, outcome = train(tmp_path, PLAN, task=Asked(seed=1))
    assert (outcome.ended_by, outcome.is_left) == (str(verb), is_left)
    assert 4 <= outcome.steps < 8
    assert outcome.steps in checkpoints(tmp_path)
    assert (outcome.steps in curve(tmp_path, "val_loss")) >= (not is_left)


def test_a_checkpoint_is_written_when_asked_for(tmp_path: Path) -> None:
    train(tmp_path, replace(PLAN, checkpoint_every=0, checkpoint_best=False), command(Verb.CHECKPOINT))
    assert answers(tmp_path) == [("checkpoint", "applied", 0)]
    assert checkpoints(tmp_path) == [0, 8]


class Poisoned(PointsTask):
    """Its batches at some positions are NaN."""

    def __init__(self, *positions: int) -> None:
        super().__init__(seed=1)
        self._poisoned = positions

    def batch(self, position: int) -> tuple[Tensor, Tensor]:
        features, targets = super().batch(position)
        return (features * math.nan if position in self._poisoned else features), targets


def test_a_nan_stops_the_training_with_the_healthy_weights_kept(tmp_path: Path) -> None:
    with pytest.raises(NonFiniteGradient, match="step 6: loss nan") as caught:
        train(tmp_path, PLAN, task=Poisoned(5))
    assert "checkpoint 5" in caught.value.hint
    assert 5 in checkpoints(tmp_path)
    assert math.isnan(curve(tmp_path, "train_loss")[6])
    healthy, outcome = train(tmp_path, PLAN)
    assert outcome.steps == 8
    assert all(torch.isfinite(param).all() for param in healthy.model.parameters())


def test_nan_batches_are_skipped_where_asked_for_up_to_the_cap(tmp_path: Path) -> None:
    plan = replace(PLAN, non_finite=NonFinite(policy="skip", max_skips=2))
    _, outcome = train(tmp_path / "two", plan, task=Poisoned(2, 5))
    assert outcome.steps == 8
    assert curve(tmp_path / "two", "skipped_steps")[8] == 2
    assert math.isnan(curve(tmp_path / "two", "train_loss")[3])
    with pytest.raises(NonFiniteGradient):
        train(tmp_path / "three", plan, task=Poisoned(2, 5, 6))


def test_weights_that_are_not_finite_are_never_kept(tmp_path: Path) -> None:
    plan = replace(PLAN, optimizer={"name": "sgd", "lr": 1e38}, evaluate_every=0, checkpoint_every=1)
    with pytest.raises(NonFiniteGradient):
        train(tmp_path, plan)
    for step in checkpoints(tmp_path) if (tmp_path / "checkpoints").exists() else []:
        state = torch.load(tmp_path / "checkpoints" / str(step) / "training.pt", weights_only=True)
        assert state["progress"]["step"] == step


class Scripted(PointsTask):
    """Its evaluations are given."""

    def __init__(self, values: list[float]) -> None:
        super().__init__(seed=1)
        self._values = iter(values)

    def evaluate(self) -> Mapping[str, float]:
        return {"val_loss": next(self._values)}


def test_patience_counts_evaluations_that_did_not_beat_the_best(tmp_path: Path) -> None:
    plan = replace(PLAN, max_steps=50, evaluate_every=1, early_stopping=EarlyStopping(patience=3, min_delta=0.1))
    _, outcome = train(tmp_path, plan, task=Scripted([5.0, 4.0, 3.95, 3.99, 3.0, 2.95, 2.91, 3.5, 9.9]))
    assert (outcome.ended_by, outcome.steps, outcome.best_step) == ("early_stopping", 8, 7)


def test_patience_goes_by_the_direction(tmp_path: Path) -> None:
    stopping = EarlyStopping(patience=2)
    plan = replace(PLAN, max_steps=50, evaluate_every=1, early_stopping=stopping, direction="maximize")
    _, outcome = train(tmp_path, plan, task=Scripted([0.1, 0.3, 0.2, 0.25, 0.9]))
    assert (outcome.steps, outcome.best_step, outcome.best_value) == (4, 2, 0.3)


def test_the_noise_aware_rule_is_blind_to_noise_and_sees_overfitting(tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(0)
    noise = (0.02 * torch.randn(200, generator=draw)).tolist()
    falling = [1 + 2 * math.exp(-step / 40) + noise[step] for step in range(200)]
    rising = [1 + 2 * math.exp(-step / 15) + max(0, step - 60) * 0.01 + noise[step] for step in range(200)]
    plan = replace(PLAN, max_steps=200, evaluate_every=1, checkpoint_every=0, checkpoint_best=False)
    plan = replace(plan, early_stopping=EarlyStopping(rule="noise_aware"))
    _, healthy = train(tmp_path / "falling", plan, task=Scripted(falling))
    assert healthy.ended_by == "max_steps"
    _, stopped = train(tmp_path / "rising", plan, task=Scripted(rising))
    assert stopped.ended_by == "early_stopping"
    assert 60 < stopped.steps < 150


def test_a_finished_training_that_is_resumed_is_finished(tmp_path: Path) -> None:
    first, _ = train(tmp_path)
    again, outcome = train(tmp_path)
    assert (outcome.ended_by, outcome.steps) == ("max_steps", 8)
    assert weight_hash(again.model) == weight_hash(first.model)
    assert again.positions == []


class Remembering(PointsTask):
    """Has state beyond its model, shows samples, and knows what to compile."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.bank = torch.zeros(3)
        self.num_compiled = 0

    def loss(self, batch: tuple[Tensor, Tensor]) -> Loss:
        self.bank += 1
        return super().loss(batch)

    def sample(self) -> Mapping[str, Any]:
        assert not self.model.training
        return {"text": f"bank {int(self.bank[0])}"}

    def state_dict(self) -> Mapping[str, Any]:
        return {"bank": self.bank.clone()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.bank = state["bank"]

    def compile(self) -> None:
        self.num_compiled += 1


def test_a_task_s_own_state_is_kept_and_its_samples_are_shown(tmp_path: Path) -> None:
    plan = replace(PLAN, sample_every=4)
    train(tmp_path, plan, task=Remembering())
    assert [(event.step, event.data["text"]) for event in events(tmp_path, EventKind.SAMPLE)] == [
        (4, "bank 4"),
        (8, "bank 8"),
    ]
    again, _ = train(tmp_path, replace(plan, max_steps=10), task=Remembering())
    assert int(again.bank[0]) == 10


def test_compiling_waits_for_the_first_metric_and_for_a_run_that_repays_it(tmp_path: Path) -> None:
    always, _ = train(tmp_path / "always", replace(PLAN, compile="always"), task=Remembering())
    short, _ = train(tmp_path / "auto", replace(PLAN, compile="auto", max_steps=30), task=Remembering())
    assert (always.num_compiled, short.num_compiled) == (1, 0)
    again, _ = train(tmp_path / "always", replace(PLAN, compile="always", max_steps=9), task=Remembering())
    assert again.num_compiled == 1, "a resumed run goes on compiled"


def test_fine_tuning_begins_with_other_weights_and_a_new_head(tmp_path: Path) -> None:
    origin, _ = train(tmp_path / "origin")
    fresh = PointsTask(seed=9)
    head = fresh.model[4].weight.detach().clone()
    plan = replace(
        PLAN,
        init_from=tmp_path / "origin" / "checkpoints" / "8",
        init_exclude=("4.*",),
        freeze=("0.*",),
        optimizer={"name": "sgd", "lr": 0.0},
        checkpoint_every=0,
    )
    train(tmp_path / "tuned", plan, task=fresh)
    assert torch.equal(fresh.model[0].weight, origin.model[0].weight)
    assert torch.equal(fresh.model[4].weight, head)


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    train(tmp_path / "origin")
    plan = replace(PLAN, init_from=tmp_path / "origin" / "checkpoints" / "8")
    with pytest.raises(InvalidSpec, match=r"0\.weight") as caught:
        train(tmp_path / "other", plan, task=PointsTask(seed=1, hidden=5))
    assert "init_exclude" in caught.value.hint
    with pytest.raises(InvalidSpec, match="names no weights"):
        train(tmp_path / "other", replace(PLAN, init_from=tmp_path / "nowhere"))


def test_a_checkpoint_of_another_model_or_a_newer_version_is_refused(tmp_path: Path) -> None:
    train(tmp_path)
    with pytest.raises(DamagedFile, match="cannot be loaded"):
        train(tmp_path, task=PointsTask(seed=1, hidden=5))
    model = PointsTask(seed=1).model
    folder = tmp_path / "newer"
    folder.mkdir()
    write_checkpoint(folder, model, {})
    state = torch.load(folder / "training.pt", weights_only=True)
    torch.save({**state, "version": 99}, folder / "training.pt")
    with pytest.raises(DamagedFile, match="version 99"):
        read_checkpoint(folder, model)


def test_an_older_checkpoint_is_brought_up_by_the_steps_it_lacks() -> None:
    def renamed(state: dict[str, Any]) -> dict[str, Any]:
        return {**{name: value for name, value in state.items() if name != "old"}, "new": state["old"]}

    steps = {
        "first": lambda state: state,
        "renamed": renamed,
        "doubled": lambda state: {**state, "new": 2 * state["new"]},
    }
    assert migrated({"version": 1, "old": 3}, steps=steps) == {"version": 3, "new": 6}
    assert migrated({"version": 2, "new": 3}, steps=steps) == {"version": 3, "new": 6}
    assert migrated({"version": 3, "new": 3}, steps=steps) == {"version": 3, "new": 3}


def test_tied_weights_are_kept_once_and_come_back_tied(tmp_path: Path) -> None:
    def tied() -> nn.ModuleDict:
        model = nn.ModuleDict({"tokens": nn.Embedding(5, 4), "head": nn.Linear(4, 5, bias=False)})
        model["head"].weight = model["tokens"].weight
        return model

    origin, target = tied(), tied()
    write_checkpoint(tmp_path, origin, {})
    read_checkpoint(tmp_path, target)
    assert torch.equal(target["head"].weight, origin["tokens"].weight)
    assert target["head"].weight is target["tokens"].weight


def test_a_full_disk_at_a_checkpoint_loses_nothing_but_that_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    real, calls = os.rename, 0

    def full(source: Any, target: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "rename", full)
    _, outcome = train(tmp_path, replace(PLAN, checkpoint_best=False))
    assert outcome.steps == 8
    assert checkpoints(tmp_path) == [8]
    assert "could not be written" in logged(tmp_path)
