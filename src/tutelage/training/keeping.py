"""What a training's checkpoint holds, written and brought back: everything that the next step depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tutelage.core.ports import Run
from tutelage.training import randomness
from tutelage.training.checkpoint import Saved, write_checkpoint
from tutelage.training.progress import Progress
from tutelage.training.schedules import Schedule
from tutelage.training.task import HasModel, StatefulTask
from tutelage.training.tuning import Tuning
from tutelage.training.updater import Updater
from tutelage.training.world import ALONE, World


class Keeper:
    """Writes the checkpoints of one training, by rank 0, with what each rank has for itself.

    Of the task it needs the model, and its own state where it has one: a loop other than `fit` can be kept too.
    """

    def __init__(
        self,
        *,
        task: HasModel,
        updater: Updater,
        schedule: Schedule,
        tuning: Tuning,
        run: Run,
        world: World = ALONE,
    ) -> None:
        self._task, self._updater, self._schedule, self._tuning = task, updater, schedule, tuning
        self._run, self._world = run, world
        self._written: tuple[Any, ...] | None = None

    def write(self, progress: Progress) -> bool:
        """Write a checkpoint of this step, unless it is there already; tell whether it is there now."""
        mark = self._mark(progress)
        if self._written == mark:
            return True
        ranks = self._world.gathered(self._own())
        is_written = self._world.shared(self._write(progress, ranks) if self._world.is_main else None)
        if is_written:
            self._written = mark
        return bool(is_written)

    def restore(self, saved: Saved, progress: Progress) -> None:
        """Bring back everything but weights and progress, and say what a difference of the machine means."""
        state = saved.state
        if not self._updater.load_state_dict(state["updater"]):
            self._run.log("the optimizer is another one than the checkpoint's: its state starts fresh", level="warning")
        if self._updater.average is not None and saved.average is not None:
            self._updater.average.load_state_dict(saved.average)
        self._schedule.load_state_dict(state["schedule"])
        self._tuning.load_state_dict(state["tuning"])
        self._restore_own(state["ranks"], progress)
        if state["machine"] != _machine():
            self._run.log(
                f"this attempt has {_machine()}, the checkpoint {state['machine']}: last bits may differ",
                level="warning",
            )
        self._written = self._mark(progress)

    def _mark(self, progress: Progress) -> tuple[Any, ...]:
        """Return what tells one state of the training from another."""
        return progress.step, progress.evaluated_at, self._tuning.state_dict()

    def _own(self) -> dict[str, Any]:
        task = self._task.state_dict() if isinstance(self._task, StatefulTask) else None
        return {"random": randomness.capture(), "task": task}

    def _restore_own(self, ranks: list[dict[str, Any]], progress: Progress) -> None:
        """Bring back the task's state, and after it the random state, from which that may have drawn."""
        rank = self._world.rank
        task = ranks[rank % len(ranks)]["task"]
        if isinstance(self._task, StatefulTask) and task is not None:
            self._task.load_state_dict(task)
        if rank < len(ranks):
            randomness.restore(ranks[rank]["random"])
        else:  # more ranks than before: the new ones begin with a seed of their own
            randomness.seed_everything(randomness.seed_of(self._run.seed, rank, progress.step))

    def _write(self, progress: Progress, ranks: list[dict[str, Any]]) -> bool:
        average = self._updater.average
        state = {
            "progress": progress.state_dict(),
            "updater": self._updater.state_dict(),
            "schedule": self._schedule.state_dict(),
            "tuning": self._tuning.state_dict(),
            "ranks": ranks,
            "machine": _machine(),
        }

        def save(folder: Path) -> None:
            averaged = average.state_dict() if average else None
            write_checkpoint(folder, self._task.model, state, average=averaged)

        metrics = progress.latest if progress.evaluated_at == progress.step else {}
        # A full disk gives None: the log has it, and the training goes on.
        return self._run.checkpoint(progress.step, save, metrics) is not None


def _machine() -> dict[str, Any]:
    """Return what the last bits of numbers hang on."""
    instructions = torch.backends.cpu.get_cpu_capability()
    return {"torch": str(torch.__version__), "threads": torch.get_num_threads(), "cpu": instructions}
