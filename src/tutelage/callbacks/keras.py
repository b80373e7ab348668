"""Keras: `model.fit(..., callbacks=[TutelageCallback()], initial_epoch=resume(model))`."""

from __future__ import annotations

from typing import Any

import keras

from tutelage import current_run

NAMES = {"loss": "train_loss"}
STATE = "model.weights.h5"


class TutelageCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports each epoch's numbers (`loss` as train_loss), keeps the weights, and ends when asked to."""

    def __init__(self) -> None:
        super().__init__()
        self._run = current_run()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Report and keep one epoch."""
        numbers = {NAMES.get(name, name): float(value) for name, value in (logs or {}).items()}
        self._run.metric(epoch + 1, numbers)
        self._run.checkpoint(epoch + 1, lambda folder: self.model.save_weights(folder / STATE), numbers)
        if self._run.should_stop():
            self.model.stop_training = True


def resume(model: Any) -> int:
    """Load the newest weights into a built model and return the epoch to go on from (the optimizer starts anew)."""
    folder = current_run().resume()
    if folder is None:
        return 0
    model.load_weights(folder / STATE)
    return int(folder.name)
