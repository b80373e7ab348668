"""Hugging Face Trainer: `Trainer(..., callbacks=[TutelageCallback()])` and `trainer.train(**resume())`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from tutelage import current_run

NAMES = {"loss": "train_loss", "eval_loss": "val_loss"}


class TutelageCallback(TrainerCallback):  # type: ignore[misc]
    """Reports what the Trainer logs (`loss` as train_loss, `eval_loss` as val_loss) and keeps what it saves."""

    def __init__(self) -> None:
        self._run = current_run()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Report the numbers of one log."""
        numbers = {
            NAMES.get(name, name): value for name, value in (logs or {}).items() if isinstance(value, int | float)
        }
        if numbers and state.is_world_process_zero:
            self._run.metric(state.global_step, numbers)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Save and end when asked to; save alone when a checkpoint is wanted."""
        self._run.progress(state.global_step, state.max_steps)
        if self._run.should_stop():
            control.should_evaluate = control.should_save = control.should_training_stop = True
        elif self._run.should_checkpoint():
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Keep the Trainer's checkpoint as the operation's."""
        source = Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
        if state.is_world_process_zero and source.is_dir():
            self._run.checkpoint(state.global_step, lambda folder: _copy(source, folder), _newest(state))


def resume() -> dict[str, str]:
    """Return the argument of `Trainer.train` that goes on from the newest checkpoint; empty for a fresh start."""
    folder = current_run().resume()
    return {} if folder is None else {"resume_from_checkpoint": str(folder)}


def _copy(source: Path, folder: Path) -> None:
    shutil.copytree(source, folder, dirs_exist_ok=True)


def _newest(state: Any) -> dict[str, float]:
    """Return the newest evaluation among the Trainer's logs."""
    for entry in reversed(state.log_history):
        if "eval_loss" in entry:
            return {"val_loss": float(entry["eval_loss"])}
    return {}
