"""Trains an embedding network by the training layer's loop; an epoch is a round. Imports torch."""

from __future__ import annotations

import copy
import math
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.core.commands import Command, Verb
from tutelage.core.ports import Save
from tutelage.services.tabular.models.embedding_network import EmbeddingClassifier, EmbeddingNetwork
from tutelage.training import EarlyStopping, Loss, Plan, ShuffledIndices, SilentRun, fit, seed_everything

OBJECTIVE = "val_loss"
Epoch = Callable[[], tuple[float, bool]]
"""Looks at the network after an epoch; returns the watched loss, and whether the time for another one is short."""

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Numbers, codes, targets, weights."""


def train_network(
    own: EmbeddingNetwork,
    matrix: Any,
    target: Any,
    *,
    classes: Any,
    categories: list[int],
    weights: Any,
    epoch: Epoch,
    patience: int | None,
    keep_best: bool,
) -> None:
    """Fit in place; with `keep_best` the network is that of the epoch with the lowest watched loss."""
    torch.set_num_threads(own.threads)
    seed_everything(own.seed)
    is_classifier = isinstance(own, EmbeddingClassifier)
    if is_classifier:
        own.classes_ = classes
    own.build(matrix, categories, num_outputs=len(classes) if is_classifier else 1)
    task = _Rows(own, matrix, np.searchsorted(classes, target) if is_classifier else target, weights, epoch)
    steps_an_epoch = math.ceil(len(target) / task.batch_size)
    with tempfile.TemporaryDirectory() as folder:
        run = _Keeping(own.network_, task, seed=own.seed, folder=Path(folder))
        fit(
            task,
            Plan(
                max_steps=own.max_iter * steps_an_epoch,
                optimizer={"name": "adamw", "lr": own.learning_rate, "weight_decay": own.weight_decay},
                objective=OBJECTIVE,
                early_stopping=EarlyStopping(patience=patience) if patience else None,
                evaluate_every=steps_an_epoch,
                log_every=steps_an_epoch,
                ratio_every=0,
            ),
            run,
        )
    if keep_best and run.best is not None:
        own.network_.load_state_dict(run.best)
    own.network_.eval()


class _Rows:
    """The training rows of one fit, as a task of the training layer."""

    def __init__(self, own: EmbeddingNetwork, matrix: Any, target: Any, weights: Any, epoch: Epoch) -> None:
        self.model: nn.Module = own.network_
        self.is_late = False
        self.batch_size = min(own.batch_size, len(target))
        self._is_classifier, self._epoch = isinstance(own, EmbeddingClassifier), epoch
        self._numbers, self._codes = own.columns_.tensors(matrix)
        self._target = torch.as_tensor(np.asarray(target), dtype=torch.int64 if self._is_classifier else torch.float32)
        given = np.ones(len(target)) if weights is None else np.asarray(weights, dtype="float64")
        self._weights = torch.as_tensor(given / given.mean(), dtype=torch.float32)
        self._order = ShuffledIndices(len(target), batch_size=self.batch_size, seed=own.seed)

    def batch(self, position: int) -> Batch:
        """Return rows, in a new order each epoch."""
        rows = self._order.at(position)
        return self._numbers[rows], self._codes[rows], self._target[rows], self._weights[rows]

    def loss(self, batch: Batch) -> Loss:
        """Return the cross-entropy in nats, or the squared error, times the rows' weights."""
        numbers, codes, target, weights = batch
        scores = self.model(numbers, codes)
        if self._is_classifier:
            each = nn.functional.cross_entropy(scores, target, reduction="none")
        else:
            each = nn.functional.mse_loss(scores[:, 0], target, reduction="none")
        return Loss(total=(each * weights).sum(), num_items=len(target))

    def evaluate(self) -> Mapping[str, float]:
        """Tell of the epoch and return its watched loss."""
        value, self.is_late = self._epoch()
        return {OBJECTIVE: value}


class _Keeping(SilentRun):
    """The run of a fit within a search: keeps the best weights in memory, and asks to stop when the time is short."""

    def __init__(self, network: nn.Module, task: _Rows, *, seed: int, folder: Path) -> None:
        super().__init__(seed=seed, folder=folder)
        self.best: dict[str, Any] | None = None
        self._network, self._task, self._lowest, self._has_asked = network, task, math.inf, False

    def checkpoint(self, step: int, save: Save, metrics: Mapping[str, float] | None = None) -> Path:
        """Keep the weights where they are the best so far; the fit itself is what a search resumes by."""
        value = (metrics or {}).get(OBJECTIVE, math.inf)
        if value < self._lowest:
            self._lowest, self.best = value, copy.deepcopy(self._network.state_dict())
        return self.dir

    def next_command(self) -> Command | None:
        """Ask to stop once, after the last epoch before the deadline."""
        if not self._task.is_late or self._has_asked:
            return None
        self._has_asked = True
        return Command(id="deadline", verb=Verb.STOP, args={}, reason="another epoch would end after the deadline")
