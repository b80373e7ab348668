"""What is trained: the Transformer on pairs of a sentence and a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from tutelage.core.errors import InvalidSpec
from tutelage.services.codegen.batches import Batch, Feed
from tutelage.services.codegen.engines.base import PAD_ID
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.training import Loss


def smoothed_loss(logits: Tensor, wanted: Tensor, *, label_smoothing: float) -> tuple[Tensor, Tensor]:
    """Return the summed loss and the summed cross-entropy, in nats, of logits [B, T, V] over wanted [B, T] but padding.

    The loss is (1 - e) ce + e mean(-log p) (Szegedy et al. 2016, section 7): torch's `label_smoothing`.
    """
    log_probs = F.log_softmax(logits.float().flatten(0, 1), dim=-1)
    targets = wanted.flatten()
    entropy = F.nll_loss(log_probs, targets, ignore_index=PAD_ID, reduction="sum")
    if label_smoothing == 0:
        return entropy, entropy.detach()
    spread = -(log_probs.mean(-1) * (targets != PAD_ID)).sum()
    return (1 - label_smoothing) * entropy + label_smoothing * spread, entropy.detach()


class CodeTask:
    """The task that `fit` trains. Its state is the vocabulary's fingerprint: ids mean nothing under another one."""

    def __init__(
        self,
        model: Transformer,
        feed: Feed,
        *,
        label_smoothing: float,
        fingerprint: str,
        held_out: Callable[[], Mapping[str, float]],
        show: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._model, self._feed, self._label_smoothing = model, feed, label_smoothing
        self._fingerprint, self._held_out, self._show = fingerprint, held_out, show

    @property
    def model(self) -> Transformer:
        """The model."""
        return self._model

    def batch(self, position: int) -> Batch:
        """Return the batch at a position."""
        return self._feed.at(position)

    def loss(self, batch: Batch) -> Loss:
        """Return the loss over the target's tokens, its cross-entropy beside it."""
        return batch_loss(self._model, batch, label_smoothing=self._label_smoothing)

    def evaluate(self) -> Mapping[str, float]:
        """Return the held-out figures."""
        return self._held_out()

    def sample(self) -> Mapping[str, Any]:
        """Return programs that the model writes for held-out sentences."""
        return self._show()

    def state_dict(self) -> Mapping[str, Any]:
        """Return what the weights were learned with."""
        return {"vocabulary": self._fingerprint}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Check what the weights were learned with. Raises InvalidSpec where the vocabulary is another one."""
        if state["vocabulary"] != self._fingerprint:
            raise InvalidSpec(
                "the checkpoint was trained with another vocabulary: the data differs from what it was learned from",
                hint="keep the data settings, or start anew",
            )


def batch_loss(model: Transformer, batch: Batch, *, label_smoothing: float) -> Loss:
    """Return a batch's loss."""
    batch = batch.to(next(model.parameters()).device)
    logits = model(batch.source, batch.target[:, :-1])
    total, entropy = smoothed_loss(logits, batch.target[:, 1:], label_smoothing=label_smoothing)
    return Loss(total=total, num_items=batch.num_targets, sums={"ce": entropy})
