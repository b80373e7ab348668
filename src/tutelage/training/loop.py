"""`fit`: the one loop of every torch service."""

from __future__ import annotations

import copy
import time
from typing import Any, Generic

from tutelage.core.errors import NonFiniteGradient
from tutelage.core.ports import Run
from tutelage.training import randomness
from tutelage.training.checkpoint import Saved, are_finite, load_weights, read_checkpoint
from tutelage.training.compiling import Compiling
from tutelage.training.distributed import Exchange
from tutelage.training.early_stopping import create_stop_rule
from tutelage.training.evaluating import evaluate, sample
from tutelage.training.keeping import Keeper
from tutelage.training.outcome import Ending, Outcome
from tutelage.training.parameters import freeze
from tutelage.training.plan import Plan
from tutelage.training.precision import probe
from tutelage.training.progress import Progress
from tutelage.training.reporting import step_metrics
from tutelage.training.schedules import create_schedule
from tutelage.training.steering import obey
from tutelage.training.task import Batch, StatefulTask, Task
from tutelage.training.tuning import Tuning
from tutelage.training.updater import Update, Updater
from tutelage.training.world import ALONE, World


def fit(task: Task[Batch], plan: Plan, run: Run, *, world: World = ALONE) -> Outcome:
    """Train: accumulate, filter, clip, step, evaluate, tell, sample, checkpoint, obey commands at step boundaries.

    Goes on from `run.resume()` where there is a checkpoint; the numbers are then those of the undisturbed run, bit for
    bit. A fresh start seeds Python, NumPy and torch from `run.seed`; build the model before, after `seed_everything`.
    Under `torchrun` give `join_world()`, and a `SilentRun` to the ranks other than 0.

    Raises NonFiniteGradient by the plan's policy, DamagedFile for a checkpoint of another model, InvalidSpec for a
    pattern that matches nothing.
    """
    training = Training(task, plan, run, world)
    while (ending := training.ending()) is None:
        training.step()
    return training.conclude(ending)


class Training(Generic[Batch]):
    """One attempt of a training, step by step."""

    def __init__(self, task: Task[Batch], plan: Plan, run: Run, world: World) -> None:
        self._task, self._plan, self._run, self._world = task, plan, run, world
        saved = self._read()
        self._progress = Progress.from_state(saved.state["progress"]) if saved else Progress()
        freeze(task.model, plan.freeze)
        self._exchange = Exchange(task, world)
        self._progress.precision = self._precision()
        self._updater = Updater(task.model, plan, precision=self._progress.precision, world=world)
        self._schedule = create_schedule(plan.schedule)
        self._tuning = Tuning(plan, self._updater.optimizer)
        self._keeper = Keeper(
            task=task, updater=self._updater, schedule=self._schedule, tuning=self._tuning, run=run, world=world
        )
        self._compiling = Compiling(task, plan)
        self._begin(saved)

    def _read(self) -> Saved | None:
        """Load the weights to go on from, or to begin with; return what a checkpoint holds besides."""
        folder = self._world.shared(self._run.resume())
        if folder is not None:
            return read_checkpoint(folder, self._task.model)
        if self._plan.init_from is not None:
            load_weights(self._task.model, self._plan.init_from, exclude=self._plan.init_exclude)
        return None

    def _precision(self) -> str:
        """Return the precision to compute in: as planned, as chosen before, or as three timed steps choose now."""
        if self._plan.precision != "auto":
            return self._plan.precision
        if self._progress.precision in ("bf16", "fp32"):
            return self._progress.precision
        task = self._task
        own = copy.deepcopy(task.state_dict()) if isinstance(task, StatefulTask) else None
        chosen: str = self._world.shared(probe(task.model, lambda: task.loss(task.batch(0)).total))
        if isinstance(task, StatefulTask) and own is not None:
            task.load_state_dict(own)
        self._run.log(f"precision: three timed steps chose {chosen}")
        return chosen

    def _begin(self, saved: Saved | None) -> None:
        plan, progress = self._plan, self._progress
        if saved is None:
            randomness.seed_everything(randomness.seed_of(self._run.seed, self._world.rank))
        else:
            self._keeper.restore(saved, progress)
        if progress.is_compiled and plan.compile != "never":
            self._compiling.compile()
        self._stop_rule = create_stop_rule(
            plan.early_stopping, plan.direction, max_steps=plan.max_steps, evaluate_every=plan.evaluate_every
        )
        for seen in progress.evaluations:
            self._hear(seen.step, seen.value, seen.train_loss)
        self._run.define(
            plan.objective,
            objective=True,
            direction=plan.direction,
            settled_after=self._schedule.settled_after(self._tuning.whole("max_steps")),
        )
        self._run.phase("training")
        self._task.model.train()

    def ending(self) -> Ending | None:
        """Obey what was asked, and tell whether the training ends at this boundary, and why."""
        asked = obey(self._run, self._tuning, step=self._progress.step, save=self._save, world=self._world)
        if asked is not None:
            return asked
        patience = self._tuning.whole("patience") if "patience" in self._tuning else 0
        if self._stop_rule is not None and self._stop_rule.is_due(patience=patience):
            return "early_stopping"
        return "max_steps" if self._progress.step >= self._tuning.whole("max_steps") else None

    def step(self) -> None:
        """Take one optimizer step, and do what is due after it."""
        began_s = time.perf_counter()
        lr = self._set_rates()
        plan, progress = self._plan, self._progress
        update = self._updater.update(
            [self._exchange.loss_at(position) for position in self._positions()],
            without_sync=self._exchange.without_sync,
            measure_ratio=_is_due(plan.ratio_every, progress.step + 1),
        )
        duration_s = time.perf_counter() - began_s
        self._guard(update, lr)
        progress.step, progress.train_loss = progress.step + 1, update.loss
        progress.position += plan.accumulate * self._world.size
        if progress.step == 1 or _is_due(plan.log_every, progress.step):
            self._tell(update, lr=lr, duration_s=duration_s)
        self._after()
        left = self._tuning.whole("max_steps") - progress.step
        progress.is_compiled |= self._compiling.after_step(duration_s, steps_left=left)

    def conclude(self, ending: Ending) -> Outcome:
        """End: on a pause or cancel as it is, else with a last evaluation and a checkpoint."""
        progress = self._progress
        if ending not in ("pause", "cancel"):
            self._run.phase("concluding")
            if progress.evaluated_at != progress.step:
                self._evaluate()
            self._save()
        return Outcome(
            ended_by=ending,
            steps=progress.step,
            best_step=progress.best_step,
            best_value=progress.best_value,
            latest=dict(progress.latest),
        )

    def _positions(self) -> range:
        """Return the positions of this rank's batches of the coming step."""
        first, size = self._progress.position + self._world.rank, self._world.size
        return range(first, first + self._plan.accumulate * size, size)

    def _set_rates(self) -> float:
        """Set the rates of the coming step, and return its learning rate."""
        tuning, updater = self._tuning, self._updater
        factor = self._schedule.factor(self._progress.step, max_steps=tuning.whole("max_steps"))
        lr = tuning["lr"] * factor
        updater.set_rates(lr=lr, weight_decay=tuning.get("weight_decay"))
        if updater.filter is not None:
            updater.filter.lamb = tuning["grokfast_lamb"]
            if "grokfast_alpha" in tuning:
                updater.filter.alpha = tuning["grokfast_alpha"]
        return lr

    def _guard(self, update: Update, lr: float) -> None:
        """Follow the policy on a step that was left out. Raises NonFiniteGradient where it says stop."""
        if update.is_applied or update.is_overflow:
            return
        policy, progress = self._plan.non_finite, self._progress
        what = f"step {progress.step + 1}: loss {update.loss:g}, gradient norm {update.grad_norm:g}"
        if policy.policy == "skip" and progress.skipped < policy.max_skips:
            progress.skipped += 1
            self._run.log(f"skipped {what}; {policy.max_skips - progress.skipped} more may be", level="warning")
            return
        self._run.metric(progress.step + 1, train_loss=update.loss, grad_norm=update.grad_norm, lr=lr)
        self._save()
        raise NonFiniteGradient(
            f"not finite at {what}",
            hint=f"the weights before it are checkpoint {progress.step}: branch from it with a lower lr or clip.norm, "
            "look at that batch, or set non_finite.policy to skip",
        )

    def _after(self) -> None:
        """Evaluate, checkpoint and sample where they are due."""
        plan, step = self._plan, self._progress.step
        is_best = self._evaluate() if _is_due(plan.evaluate_every, step) else False
        if _is_due(plan.checkpoint_every, step) or (is_best and plan.checkpoint_best):
            self._save()
        if _is_due(plan.sample_every, step) and self._world.is_main:
            made = sample(self._task, self._updater)
            if made is not None:
                self._run.sample(made, step=step)

    def _evaluate(self) -> bool:
        """Evaluate on rank 0, tell it, and return whether it is the best so far."""
        progress, plan = self._progress, self._plan
        values = self._world.shared(evaluate(self._task, self._updater) if self._world.is_main else None)
        train_loss = progress.train_loss
        progress.evaluated_at = progress.step
        progress.latest = {**values, **({} if train_loss is None else {"train_loss": train_loss})}
        if values:
            self._run.metric(progress.step, values)
        value = values.get(plan.objective)
        if value is None:
            return False
        self._schedule.observe(value, is_better_low=plan.direction == "minimize")
        self._hear(progress.step, value, train_loss)
        return progress.observe(value, plan.direction)

    def _hear(self, step: int, value: float, train_loss: float | None) -> None:
        if self._stop_rule is not None:
            self._stop_rule.observe(step, value, train_loss=train_loss)

    def _save(self) -> bool:
        """Write a checkpoint of this step. Raises NonFiniteGradient rather than keep weights that are not finite."""
        if not are_finite(self._task.model):
            raise NonFiniteGradient(
                f"the weights are not finite after step {self._progress.step}; the last checkpoint is from before",
                hint="branch from it with a lower lr, or with clip.norm",
            )
        return self._keeper.write(self._progress)

    def _tell(self, update: Update, *, lr: float, duration_s: float) -> None:
        progress = self._progress
        values: dict[str, Any] = step_metrics(
            update,
            lr=lr,
            duration_s=duration_s,
            item=self._plan.item,
            skipped=progress.skipped,
            figures=self._updater.precision.figures(),
        )
        self._run.metric(progress.step, values)
        self._run.progress(progress.step, self._tuning.whole("max_steps"), message="training")


def _is_due(every: int, step: int) -> bool:
    return every > 0 and step % every == 0
