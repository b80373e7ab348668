"""One segment through the model: its loss, its sums, and what the memory keeps of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tutelage.services.cognate.data.stream import IGNORED, Segment
from tutelage.services.cognate.losses import token_losses
from tutelage.services.cognate.model.bank import Bank
from tutelage.services.cognate.model.causal_lm import CausalLM, Output, shifted_surprise


@dataclass(frozen=True, kw_only=True)
class SegmentLoss:
    """What a segment gave. `total` is summed over its predicted tokens, as all of `sums` are."""

    total: Tensor
    num_labels: int
    sums: dict[str, Tensor]
    bank: Bank | None
    """The memory after the segment; None without memory."""


def run_segment(model: CausalLM, segment: Segment, bank: Bank | None, *, act_tau: float) -> SegmentLoss:
    """Return cross-entropy + `act_tau` x (N + R), and the bank that the next segment reads."""
    if model.memory is not None and (bank is None or segment.begins):
        bank = model.memory.empty(segment.tokens.shape[0])
    output = model(segment.tokens, docs=segment.docs, memory=bank)
    entropy, losses = token_losses(model.head, output.hidden, segment.labels)
    counted = segment.labels != IGNORED
    sums = {"ce": entropy.detach()}
    total = entropy
    if output.ponder is not None:
        total = total + act_tau * (output.ponder.cost * counted).sum()
        sums["ponder_steps"] = (output.ponder.steps * counted).sum().detach()
    after = None
    if model.memory is not None and bank is not None and output.view is not None:
        after = model.write(output, surprise=shifted_surprise(losses[:, :-1]), docs=segment.docs)
        sums |= _memory_sums(output, bank, after, num_labels=segment.num_labels)
    return SegmentLoss(total=total, num_labels=segment.num_labels, sums=sums, bank=after)


def _memory_sums(output: Output, before: Bank, after: Bank, *, num_labels: int) -> dict[str, Tensor]:
    """Return slots read and written (for each token once divided by their number) and the mean gate."""
    assert output.view is not None, "asked only with memory"
    gates = torch.stack(output.view.gates).mean() if output.view.gates else torch.zeros(())
    return {
        "memory_reads": output.view.reads.float(),
        "memory_writes": (after.written - before.written).sum().float(),
        "memory_gate": gates.float() * num_labels,
    }
