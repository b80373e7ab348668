"""The bank of past segments: what was kept of each sequence, as tensors without gradient.

Shapes: B batch, C capacity, T time, D model.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

EMPTY = -1
"""The document number of a slot that holds nothing, and of padding."""


@dataclass(frozen=True)
class Bank:
    """Slots of each sequence: the states that keys and values are projected from, what they are worth, whose they are.

    `keys`, `values` [B, C, D]; `worth` [B, C], the score that a slot was written with; `idle` [B, C], segments since it
    was last read; `docs` [B, C], the document it came from, EMPTY where there is none; `written` [B], writes so far.
    """

    keys: Tensor
    values: Tensor
    worth: Tensor
    idle: Tensor
    docs: Tensor
    written: Tensor

    @classmethod
    def empty(cls, batch: int, capacity: int, d_model: int, *, device: torch.device | str = "cpu") -> Bank:
        """Return a bank without a written slot."""
        return cls(
            keys=torch.zeros(batch, capacity, d_model, device=device),
            values=torch.zeros(batch, capacity, d_model, device=device),
            worth=torch.zeros(batch, capacity, device=device),
            idle=torch.zeros(batch, capacity, device=device),
            docs=torch.full((batch, capacity), EMPTY, dtype=torch.long, device=device),
            written=torch.zeros(batch, dtype=torch.long, device=device),
        )

    @property
    def holds(self) -> Tensor:
        """Which slots are written, [B, C]."""
        return self.docs != EMPTY

    def tensors(self) -> dict[str, Tensor]:
        """Return the parts by name, as they are stored."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def of(cls, tensors: dict[str, Tensor]) -> Bank:
        """Return the bank that `tensors` described."""
        return cls(**{item.name: tensors[item.name] for item in fields(cls)})


@dataclass(frozen=True)
class Writing:
    """What a segment offers the bank: states [B, T, D], their score [B, T] and document [B, T] (EMPTY: not offered)."""

    keys: Tensor
    values: Tensor
    score: Tensor
    docs: Tensor


def keep_best(bank: Bank, offered: Writing, *, current: Tensor, decay: float) -> Bank:
    """Return the bank with the best of what it holds and what is offered.

    `current` [B] numbers the document that goes on after this segment; slots and offers of others are dropped, which
    clears a sequence at a document's boundary. A slot is worth `worth * decay ** idle`; the lowest are evicted.
    """
    capacity = bank.docs.shape[1]
    docs = torch.cat((bank.docs, offered.docs), 1)
    worth = torch.cat((bank.worth, offered.score.to(bank.worth.dtype)), 1)
    idle = torch.cat((bank.idle + 1, torch.zeros_like(offered.score, dtype=bank.idle.dtype)), 1)
    lives = (docs == current.unsqueeze(1)) & (docs != EMPTY)
    value_now = torch.where(lives, worth * decay**idle, torch.full_like(worth, -torch.inf))
    best = torch.sort(value_now, dim=1, descending=True, stable=True).indices[:, :capacity]
    kept = lives.gather(1, best)
    num_new = (kept & (best >= capacity)).sum(1)
    return Bank(
        keys=_pick(bank.keys, offered.keys, best, kept),
        values=_pick(bank.values, offered.values, best, kept),
        worth=worth.gather(1, best) * kept,
        idle=idle.gather(1, best) * kept,
        docs=torch.where(kept, docs.gather(1, best), torch.full_like(best, EMPTY)),
        written=bank.written + num_new,
    )


def _pick(held: Tensor, offered: Tensor, best: Tensor, kept: Tensor) -> Tensor:
    every = torch.cat((held, offered.to(held.dtype)), 1)
    picked = every.gather(1, best.unsqueeze(-1).expand(-1, -1, every.shape[-1]))
    return picked * kept.unsqueeze(-1)
