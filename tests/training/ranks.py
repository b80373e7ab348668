"""One rank of a training under torchrun: `ranks.py FOLDER MAX_STEPS ACCUMULATE DROPOUT`; rank 0 writes the weights."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tests.training.points import PointsTask
from tests.training.runs import attempt_in, command
from torch import Tensor

from tutelage.core.commands import Verb
from tutelage.training import Clip, GrokFast, Plan, SilentRun, fit, join_world


class UnevenTask(PointsTask):
    """Batches of 3 to 9 rows: a mean of means would not be the mean."""

    def batch(self, position: int) -> tuple[Tensor, Tensor]:
        self._batch_size = 3 + position * 5 % 7
        return super().batch(position)


def main() -> None:
    folder, max_steps, accumulate, dropout = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    torch.set_num_threads(1)
    world = join_world()
    task = UnevenTask(seed=1 + world.rank, dropout=dropout)  # other weights on each rank: rank 0's are the ones
    shared = UnevenTask(seed=1)
    task.features, task.targets, task._seed = shared.features, shared.targets, 1
    if world.is_main:
        task.model.load_state_dict(shared.model.state_dict())
    plan = Plan(
        max_steps=max_steps,
        accumulate=accumulate,
        optimizer={"name": "adamw", "lr": 1e-2, "weight_decay": 0.1},
        grokfast=GrokFast(),
        clip=Clip(norm=1.0),
        ema_decay=0.9,
        evaluate_every=2,
        checkpoint_every=4,
        checkpoint_best=False,
    )
    if world.is_main:
        with attempt_in(folder, command(Verb.TUNE, lr=0.02)) as run:
            fit(task, plan, run, world=world)
        torch.save(task.model.state_dict(), folder / f"weights-{max_steps}.pt")
    else:
        fit(task, plan, SilentRun(seed=3, folder=folder), world=world)
    world.leave()


if __name__ == "__main__":
    main()
