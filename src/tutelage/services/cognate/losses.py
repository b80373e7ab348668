"""Cross-entropy of a segment, with each token's own loss: the memory's write rule asks for it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from tutelage.services.cognate.data.stream import IGNORED


def token_losses(head: nn.Linear, hidden: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sum over all labels, and the loss of each place [B, T] without gradient, 0 where there is no label."""
    logits = head(hidden).flatten(0, -2).float()
    losses = F.cross_entropy(logits, labels.flatten(), ignore_index=IGNORED, reduction="none")
    return losses.sum(), losses.detach().view(labels.shape)
