"""One text to learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SeqType = Literal["short", "long"]
LONG_CHARS = 2_000
"""A text of this many characters or more is long, and thought to need memory."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A text with where it comes from; a question has a `prompt`, which the text begins with, and an `answer`."""

    text: str
    dataset: str
    seq_type: SeqType
    requires_memory: bool
    prompt: str | None = None
    answer: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        text: str,
        dataset: str,
        *,
        prompt: str | None = None,
        answer: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Sample:
        """Return a sample whose kind follows from its length."""
        is_long = len(text) >= LONG_CHARS
        return cls(
            text=text,
            dataset=dataset,
            seq_type="long" if is_long else "short",
            requires_memory=is_long,
            prompt=prompt,
            answer=answer,
            metadata=metadata or {},
        )
