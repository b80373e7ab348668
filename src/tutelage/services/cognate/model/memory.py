"""Long-term memory: reading the bank of past segments in every layer, and deciding what is written to it.

After Memorizing Transformers (Wu et al. 2022, arXiv 2203.08913): an external, non-differentiable store of past states,
read by top-k search through a learned gate per head. What is written follows surprise, as in Titans (Behrouz et al.
2025, arXiv 2501.00663).

Shapes: B batch, A reading tokens, T time, C capacity, K slots read, H heads, E head width, D model, M memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutelage.services.cognate.model.bank import EMPTY, Bank, Writing, keep_best
from tutelage.services.cognate.model.settings import MemorySettings

INITIAL_SHARPNESS = 8.0
"""A cosine is at most 1: without a factor, the best of K slots would weigh little more than the worst."""

_CLOSED = -1e30

_NO_WEIGHT = 1e-12
"""The derivative of w ln w is infinite at 0, which a clear read underflows to."""


class MemoryView:
    """The bank as the layers of one segment see it, and what they read of it.

    `keys` [B, C, M], of length 1, and `values` [B, C, M]; an unwritten slot shows the learned prior. `hits` [B, C]
    tells which written slots were read, `reads` how often, `gates` collects the mean gates of the layers.
    """

    def __init__(self, bank: Bank, keys: Tensor, values: Tensor) -> None:
        self.bank, self.keys, self.values = bank, keys, values
        self.hits = torch.zeros_like(bank.holds)
        self.reads = torch.zeros((), dtype=torch.long, device=keys.device)
        self.gates: list[Tensor] = []

    def visible(self, docs: Tensor | None) -> Tensor | None:
        """Return which slots each token of documents `docs` [B, A] may read, [B, A, C]; None where all may read all."""
        if docs is None:
            return None
        slots = self.bank.docs.unsqueeze(1)
        return (slots == EMPTY) | (slots == docs.unsqueeze(2))

    def count(self, slots: Tensor, is_read: Tensor) -> None:
        """Note that tokens read `slots` [B, A, K] where `is_read`."""
        counts = is_read & self.bank.holds.unsqueeze(1).expand(-1, slots.shape[1], -1).gather(2, slots)
        self.reads = self.reads + counts.sum()
        hits = torch.zeros_like(self.hits, dtype=torch.long).scatter_add_(1, slots.flatten(1), counts.long().flatten(1))
        self.hits = self.hits | (hits > 0)


class MemoryAttention(nn.Module):
    """Cross-attention of one layer to the K best slots by cosine, gated for each head.

    The gate closes with the entropy of the read: sigmoid(w y + b - c H(weights)/ln K), c learned for each head. The
    cosine is part of the attention's logits, which is how the search itself learns.
    """

    def __init__(self, d_model: int, d_mem: int, n_heads: int, top_k: int) -> None:
        super().__init__()
        self.n_heads, self.top_k = n_heads, top_k
        self.query = nn.Linear(d_model, d_mem, bias=False)
        self.key = nn.Linear(d_mem, d_mem, bias=False)
        self.value = nn.Linear(d_mem, d_mem, bias=False)
        self.out = nn.Linear(d_mem, d_model, bias=False)
        self.gate = nn.Linear(d_model, n_heads)
        self.entropy_weight = nn.Parameter(torch.ones(n_heads))
        self.sharpness = nn.Parameter(torch.full((n_heads,), INITIAL_SHARPNESS))

    def forward(
        self, y: Tensor, view: MemoryView, *, docs: Tensor | None = None, counted: Tensor | None = None
    ) -> Tensor:
        """Read for y [B, A, D]; tokens outside `counted` [B, A] are padding. Return [B, A, D]."""
        query = self.query(y)
        slots, is_open = self._search(query, view, view.visible(docs))
        view.count(slots, is_open if counted is None else is_open & counted.unsqueeze(-1))
        weights, read = self._attend(query, _rows(view.keys, slots), _rows(view.values, slots), is_open)
        gates = torch.sigmoid(self.gate(y) - self.entropy_weight * normalized_entropy(weights))
        view.gates.append(gates.detach().mean())
        mapped: Tensor = self.out((gates.unsqueeze(-1) * read).flatten(2))
        return mapped

    def _search(self, query: Tensor, view: MemoryView, visible: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the K best slots [B, A, K] and which of them may be read; choosing has no gradient."""
        with torch.no_grad():
            cosine = F.normalize(query, dim=-1) @ view.keys.transpose(1, 2).to(query.dtype)
            if visible is not None:
                cosine = cosine.masked_fill(~visible, -torch.inf)
            best = cosine.topk(min(self.top_k, cosine.shape[-1]), dim=-1)
            return best.indices, best.values > -torch.inf

    def _attend(self, query: Tensor, keys: Tensor, values: Tensor, is_open: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights [B, A, H, K] and the read [B, A, H, E] of slots with keys and values [B, A, K, M].

        The projections of keys and values are applied to the query and to the weighted mean instead: the same sums
        with K times less work.
        """
        heads, head_dim = self.n_heads, query.shape[-1] // self.n_heads
        cosine = torch.einsum("bam,bakm->bak", F.normalize(query, dim=-1), keys.to(query.dtype))
        key_maps = self.key.weight.view(heads, head_dim, -1)
        mapped = torch.einsum("bahe,hem->bahm", query.view(*query.shape[:2], heads, head_dim), key_maps.to(query.dtype))
        logits = torch.einsum("bahm,bakm->bahk", mapped, keys.to(query.dtype)) / math.sqrt(head_dim)
        logits = logits + self.sharpness[:, None] * cosine.unsqueeze(2)
        weights = logits.masked_fill(~is_open.unsqueeze(2), _CLOSED).softmax(-1) * is_open.unsqueeze(2)
        mean = torch.einsum("bahk,bakm->bahm", weights.to(query.dtype), values.to(query.dtype))
        value_maps = self.value.weight.view(heads, head_dim, -1).to(query.dtype)
        return weights, torch.einsum("bahm,hem->bahe", mean, value_maps)


class Memory(nn.Module):
    """What all layers share: the projections of stored states to keys and values, and the learned prior of empty slots.

    States are stored as they were and projected when they are read, so that the projections learn although nothing
    flows back into past segments.
    """

    def __init__(self, settings: MemorySettings, d_model: int) -> None:
        super().__init__()
        self.settings, self.d_model = settings, d_model
        self.key = nn.Linear(d_model, settings.d_mem, bias=False)
        self.value = nn.Linear(d_model, settings.d_mem, bias=False)
        self.prior = nn.Parameter(torch.empty(settings.capacity, settings.d_mem))

    def empty(self, batch: int) -> Bank:
        """Return a bank that holds nothing."""
        return Bank.empty(batch, self.settings.capacity, self.d_model, device=self.prior.device)

    def view(self, bank: Bank) -> MemoryView:
        """Project what the bank holds, once for all layers."""
        holds = bank.holds.unsqueeze(-1)
        keys = torch.where(holds, self.key(bank.keys.to(self.prior.dtype)), self.prior)
        values = torch.where(holds, self.value(bank.values.to(self.prior.dtype)), self.prior)
        return MemoryView(bank, F.normalize(keys, dim=-1), values)

    @torch.no_grad()
    def write(
        self,
        view: MemoryView,
        *,
        keys: Tensor,
        values: Tensor,
        surprise: Tensor,
        docs: Tensor,
        current: Tensor | None = None,
    ) -> Bank:
        """Return the bank after a segment of `keys`, `values` [B, T, D] and `surprise` [B, T].

        `docs` [B, T] is EMPTY where a token is not offered; `current` [B] is the document that goes on, by default
        the one of the segment's last token.
        """
        current = docs[:, -1] if current is None else current
        bank = view.bank
        read = Bank(**{**bank.tensors(), "idle": torch.where(view.hits, torch.full_like(bank.idle, -1.0), bank.idle)})
        score, decay = self._score(view, keys, surprise, docs)
        offered = Writing(keys=keys.detach(), values=values.detach(), score=score, docs=docs)
        return keep_best(read, offered, current=current, decay=decay)

    def _score(self, view: MemoryView, keys: Tensor, surprise: Tensor, docs: Tensor) -> tuple[Tensor, float]:
        """Return what each offered token is worth, [B, T], and how fast that fades."""
        rule = self.settings.write_rule
        if rule == "fifo":
            order = view.bank.written.unsqueeze(1) + torch.arange(1, docs.shape[1] + 1, device=docs.device)
            return order.to(surprise.dtype), 1.0
        if rule == "random":
            return torch.rand_like(surprise), 1.0
        cosine = F.normalize(self.key(keys.to(self.prior.dtype)), dim=-1) @ view.keys.transpose(1, 2)
        same = view.bank.docs.unsqueeze(1) == docs.unsqueeze(2)
        closest = cosine.masked_fill(~(same & view.bank.holds.unsqueeze(1)), 0.0).amax(-1)
        return surprise.clamp(min=0.0) * (1.0 - closest.clamp(0.0, 1.0)), self.settings.decay


@dataclass(frozen=True)
class MemoryUse:
    """What a segment did with its memory: slots read and written, and the mean gate of all layers."""

    reads: Tensor
    writes: Tensor
    gate: Tensor


def normalized_entropy(weights: Tensor) -> Tensor:
    """Return the entropy of weights [..., K] divided by ln K: 0 for one slot alone, 1 for all alike, [...]."""
    num_slots = weights.shape[-1]
    if num_slots == 1:
        return torch.zeros_like(weights[..., 0])
    entropy: Tensor = torch.special.entr(weights.clamp(min=_NO_WEIGHT)).sum(-1) / math.log(num_slots)
    return entropy


def _rows(table: Tensor, slots: Tensor) -> Tensor:
    """Return the rows of table [B, C, M] at slots [B, A, K], [B, A, K, M]."""
    batch = torch.arange(table.shape[0], device=table.device)[:, None, None]
    rows: Tensor = table[batch, slots]
    return rows
