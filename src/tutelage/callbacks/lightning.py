"""Lightning: `Trainer(callbacks=[TutelageCallback()])` and `trainer.fit(..., ckpt_path=resume())`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Callback

from tutelage import current_run

STATE = "lightning.ckpt"


class TutelageCallback(Callback):  # type: ignore[misc]
    """Reports the logged metrics after each validation, keeps a checkpoint with them, and ends when asked to."""

    def __init__(self) -> None:
        self._run = current_run()

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Report and keep the epoch; the check before the training counts for nothing."""
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        numbers = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self._run.metric(trainer.global_step, numbers)
        self._run.checkpoint(trainer.global_step, lambda folder: _save(trainer, folder), numbers)

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        """Keep a checkpoint, or keep one and end, when asked to."""
        is_stopping = self._run.should_stop()
        if is_stopping or self._run.should_checkpoint():
            self._run.checkpoint(trainer.global_step, lambda folder: _save(trainer, folder))
        if is_stopping:
            trainer.should_stop = True


def resume() -> str | None:
    """Return the `ckpt_path` to go on from, or None for a fresh start."""
    folder = current_run().resume()
    return None if folder is None else str(folder / STATE)


def _save(trainer: Any, folder: Path) -> None:
    trainer.save_checkpoint(folder / STATE)
