"""The code that a team made up: which word is said in which situation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.services.agents.communication.plan import NOTHING
from tutelage.services.agents.environments.base import Floats, Integers

MAX_SITUATIONS = 64
"""Above it situations are too many to list, and each word is told by what was seen on average when it was said."""
DECIMALS = 3


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Observations that are alike, and the words said there."""

    seen: list[float]
    count: int
    words: list[float]
    """How often each word was said here; they add up to 1 less the silent share."""
    word: int
    """The word said most; -1: it stayed silent."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word: how often it is said and what its speaker sees then, on average."""

    word: int
    share: float
    seen: list[float] | None


@dataclass(frozen=True, kw_only=True)
class Codebook:
    """What one speaker's words mean, by what it saw when it said them."""

    speaker: str
    words: list[Word]
    situations: list[Situation] | None
    """None where there are more than MAX_SITUATIONS different ones."""
    consistency: float
    """Share of messages that are the word said most in their situation; 1: the code is sure."""
    distinct: int
    """How many different words are the most frequent one of some situation."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "speaker": self.speaker,
            "words": [vars(word) for word in self.words],
            "situations": None if self.situations is None else [vars(situation) for situation in self.situations],
            "consistency": self.consistency,
            "distinct": self.distinct,
        }


def codebook(speaker: str, seen: Floats, said: Integers, *, num_words: int) -> Codebook:
    """Return the code of a speaker from what it saw (B, O) and said (B,), NOTHING where it was silent."""
    rounded = np.round(seen, DECIMALS) + 0.0  # no -0.0 beside 0.0
    kinds, which = np.unique(rounded, axis=0, return_inverse=True)
    counts = np.zeros((len(kinds), num_words + 1), np.int64)
    np.add.at(counts, (which.reshape(-1), said), 1)  # NOTHING counts in the last column
    most = counts.argmax(1)
    situations = [_situation(kind, row) for kind, row in zip(kinds, counts, strict=True)]
    return Codebook(
        speaker=speaker,
        words=[_word(word, seen, said) for word in range(num_words)],
        situations=situations if len(kinds) <= MAX_SITUATIONS else None,
        consistency=round(float(counts.max(1).sum() / max(counts.sum(), 1)), 6),
        distinct=len(set(most.tolist()) - {num_words}),
    )


def _situation(kind: Floats, counts: Integers) -> Situation:
    most = int(counts.argmax())
    return Situation(
        seen=_short(kind),
        count=int(counts.sum()),
        words=_short(counts[:-1] / counts.sum()),
        word=most if most < len(counts) - 1 else NOTHING,
    )


def _word(word: int, seen: Floats, said: Integers) -> Word:
    is_said = said == word
    return Word(
        word=word,
        share=round(float(is_said.mean()), 6) if len(said) else 0.0,
        seen=_short(seen[is_said].mean(0)) if is_said.any() else None,
    )


def _short(values: Floats) -> list[float]:
    return [round(float(value), 4) for value in values]
