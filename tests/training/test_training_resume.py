"""The headline: 2N steps = N steps, a kill, and N steps more, bit for bit; whatever is in between."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.training.conftest import ROOT
from tests.training.digits import SERVICE
from tests.training.points import PointsTask, state_hash, weight_hash
from tests.training.runs import answers, ask, attempt_in, command, curve

from tutelage.core.commands import Verb
from tutelage.core.events import EventKind
from tutelage.core.training import OPTIMIZERS, VOLATILE
from tutelage.testing.workbench import Workbench
from tutelage.training import Clip, EarlyStopping, GrokFast, Group, Outcome, Plan, fit

ACCUMULATE = 3
PLAN = Plan(
    max_steps=12,
    accumulate=ACCUMULATE,
    optimizer={"name": "adamw", "lr": 1e-2, "weight_decay": 0.1},
    schedule={"name": "cosine", "warmup_steps": 2},
    grokfast=GrokFast(),
    clip=Clip(norm=1.0),
    ema_decay=0.9,
    evaluate_every=2,
    checkpoint_every=5,
    checkpoint_best=False,
)


class Killed(Exception):
    """The process is gone."""


class MortalTask(PointsTask):
    """Dies when it is asked for a batch, as a process that is killed does."""

    def __init__(self, *, dies_at: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._dies_at = dies_at

    def batch(self, position: int) -> tuple[torch.Tensor, torch.Tensor]:
        if position == self._dies_at:
            raise Killed
        return super().batch(position)


def train(folder: Path, plan: Plan = PLAN, *, dies_at: int | None = None) -> tuple[PointsTask, Outcome | None]:
    task = MortalTask(seed=1, dies_at=dies_at)
    with attempt_in(folder) as run:
        try:
            return task, fit(task, plan, run)
        except Killed:
            return task, None


def everything(folder: Path, step: int) -> str:
    """Return a hash of the whole state in a checkpoint: optimizer, filter, averages, random numbers, counters."""
    return state_hash(torch.load(folder / "checkpoints" / str(step) / "training.pt", weights_only=True))


def same(one: Path, other: Path) -> None:
    names = ("train_loss", "val_loss", "lr", "grad_norm", "filtered_grad_norm", "update_ratio", "train_accuracy")
    assert {name: curve(one, name) for name in names} == {name: curve(other, name) for name in names}


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_a_killed_training_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    """With dropout, accumulation, averaged weights and GrokFast, at three steps, for every optimizer."""
    plan = replace(PLAN, optimizer={"name": name, "lr": 1e-2})
    calm, _ = train(tmp_path / "calm", plan)
    for killed_after, kept in ((5, 5), (8, 5), (11, 10)):
        folder = tmp_path / f"killed{killed_after}"
        died, _ = train(folder, plan, dies_at=killed_after * ACCUMULATE + 1)
        assert weight_hash(died.model) != weight_hash(calm.model)
        resumed, outcome = train(folder, plan)
        assert outcome is not None
        assert resumed.positions[0] == kept * ACCUMULATE
        assert weight_hash(resumed.model) == weight_hash(calm.model)
        assert everything(folder, 12) == everything(tmp_path / "calm", 12)
        same(folder, tmp_path / "calm")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"grokfast": GrokFast(kind="ma", window=3)}, id="moving-average"),
        pytest.param({"schedule": {"name": "plateau", "patience": 0, "gamma": 0.5, "min_delta": 0.2}}, id="plateau"),
        pytest.param({"precision": "bf16"}, id="bf16"),
        pytest.param({"precision": "simulate:fp16"}, id="simulated"),
        pytest.param({"early_stopping": EarlyStopping(patience=1, min_delta=0.1)}, id="early-stopping"),
        pytest.param({"groups": (Group(pattern="0.*", lr_scale=0.1),), "freeze": ("4.bias",)}, id="groups"),
    ],
)
def test_every_stateful_option_goes_on_bit_for_bit(change: dict[str, Any], tmp_path: Path) -> None:
    plan = replace(PLAN, **change)
    calm, calm_outcome = train(tmp_path / "calm", plan)
    train(tmp_path / "killed", plan, dies_at=7 * ACCUMULATE + 1)
    resumed, outcome = train(tmp_path / "killed", plan)
    assert outcome == calm_outcome
    assert weight_hash(resumed.model) == weight_hash(calm.model)


def test_a_paused_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    plan = replace(PLAN, checkpoint_every=0)
    calm, _ = train(tmp_path / "calm", plan)

    class Asking(PointsTask):
        def batch(self, position: int) -> tuple[torch.Tensor, torch.Tensor]:
            if position == 5 * ACCUMULATE:
                ask(tmp_path / "paused", command(Verb.PAUSE))
                self._pause_s = 0.03  # the inbox is looked into every 50 ms
            return super().batch(position)

    with attempt_in(tmp_path / "paused") as run:
        left = fit(Asking(seed=1), plan, run)
    assert (left.ended_by, left.is_left) == ("pause", True)
    assert answers(tmp_path / "paused") == [("pause", "applied", left.steps)]
    resumed, _ = train(tmp_path / "paused", plan)
    assert weight_hash(resumed.model) == weight_hash(calm.model)
    same(tmp_path / "paused", tmp_path / "calm")


def branch(origin: Path, target: Path, step: int) -> None:
    shutil.copytree(origin / "checkpoints" / str(step), target / "checkpoints" / str(step))


def test_a_branch_with_unchanged_settings_reproduces_its_origin(tmp_path: Path) -> None:
    plan = replace(PLAN, checkpoint_every=6)
    calm, _ = train(tmp_path / "calm", plan)
    branch(tmp_path / "calm", tmp_path / "branch", 6)
    branched, _ = train(tmp_path / "branch", plan)
    assert weight_hash(branched.model) == weight_hash(calm.model)
    assert min(curve(tmp_path / "branch", "train_loss")) == 7


def test_a_branch_with_another_rate_takes_it_from_its_first_step(tmp_path: Path) -> None:
    plan = replace(PLAN, checkpoint_every=6, schedule={"name": "constant"})
    train(tmp_path / "calm", plan)
    branch(tmp_path / "calm", tmp_path / "branch", 6)
    train(tmp_path / "branch", replace(plan, optimizer={**plan.optimizer, "lr": 3e-3}))
    assert curve(tmp_path / "branch", "lr") == dict.fromkeys(range(7, 13), 3e-3)


def test_a_branch_with_another_optimizer_starts_its_state_fresh_and_says_so(tmp_path: Path) -> None:
    plan = replace(PLAN, checkpoint_every=6)
    train(tmp_path / "calm", plan)
    branch(tmp_path / "calm", tmp_path / "branch", 6)
    _, outcome = train(tmp_path / "branch", replace(plan, optimizer={"name": "lion", "lr": 1e-3}))
    assert outcome is not None
    assert outcome.steps == 12
    assert "starts fresh" in (tmp_path / "branch" / "log.txt").read_text()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(OPTIMIZERS)),
    accumulate=st.integers(1, 3),
    kind=st.sampled_from([None, "ema", "ma"]),
    schedule=st.sampled_from(["constant", "linear", "cosine", "inverse_sqrt", "one_cycle"]),
    average=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_same_spec_and_seed_give_the_same_weights(
    name: str, accumulate: int, kind: Any, schedule: str, average: bool, seed: int, tmp_path_factory: Any
) -> None:
    plan = Plan(
        max_steps=5,
        accumulate=accumulate,
        optimizer={"name": name, "lr": 1e-3},
        schedule={"name": schedule},
        grokfast=GrokFast(kind=kind, window=2) if kind else None,
        ema_decay=0.9 if average else None,
        evaluate_every=2,
    )
    hashes = set()
    for _ in range(2):
        task = PointsTask(seed=seed)
        with attempt_in(tmp_path_factory.mktemp("same"), seed=seed) as run:
            fit(task, plan, run)
        hashes.add(weight_hash(task.model))
    assert len(hashes) == 1


@pytest.fixture
def benches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Workbench]]:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}:{ROOT}")
    made: list[Workbench] = []
    yield made
    for bench in made:
        bench.kill()


def lasting(bench: Workbench) -> dict[tuple[str, str, int], str]:
    """Return every number but those that measure time."""
    return {key: repr(value) for key, value in bench.points().items() if key[1] not in VOLATILE}


@pytest.mark.slow  # twelve lives of worker processes that import torch: a minute, two on a busy machine
@pytest.mark.timeout(900)
def test_kill_9_at_ten_random_steps_changes_no_bit(benches: list[Workbench], tmp_path: Path) -> None:
    config = {"max_steps": 120, "checkpoint_every": 3, "pause_s": 0.002}
    spec = {"service": "digits", "config": config, "seed": 11}
    for name in ("calm", "killed"):
        benches.append(Workbench(tmp_path / name, spec, services={"digits": "tests.training.digits:SERVICE"}))
    calm, killed = benches
    calm.start()
    assert calm.ended() == 0, calm.log_tail()
    draw = random.Random(5)
    for step in sorted(draw.sample(range(5, 115), 10)):
        killed.start()
        killed.until(lambda step=step: any(key[2] >= step for key in killed.points()))
        killed.kill()
    killed.start()
    assert killed.ended() == 0, killed.log_tail()
    assert killed.result() == calm.result()
    assert lasting(killed) == lasting(calm)
    assert killed.attempt == 11
    assert killed.events(EventKind.ATTEMPT_STARTED)[0].data["from_step"] > 0


def test_the_service_of_these_tests_declares_what_fit_reports() -> None:
    declared = {metric.name for metric in SERVICE.metrics}
    assert {"train_loss", "lr", "grad_norm", "rows_per_s", "step_s"} <= declared
    assert SERVICE.tunables[0].name == "learning_rate"
