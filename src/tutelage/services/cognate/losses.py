"""Cross-entropy of a segment, with each token's own loss: the memory's write rule asks for it."""

from __future__ import annotations

from torch import Tensor, nn

from tutelage.services.cognate.data.stream import IGNORED
from tutelage.training import linear_cross_entropy_by_row


def token_losses(head: nn.Linear, hidden: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sum over all labels, and the loss of each place [B, T] without gradient, 0 where there is no label."""
    return linear_cross_entropy_by_row(hidden, head.weight, labels, ignore_index=IGNORED)
