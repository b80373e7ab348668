"""Which programs are trained on and which are held out: by composition, and beside it at random."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from typing import Literal

from tutelage.services.codegen.data.expressions import Edge

Split = Literal["train", "composition", "iid"]
"""`composition`: holds a pair of primitives, one directly inside the other, that no training program holds. `iid`: made
of pairs that are trained on, but the program itself, up to its names and numbers, is not."""

HELD_PAIRS = 0.12
HELD_PROGRAMS = 0.03

_SLOT = re.compile(r"\$\w+\$|#\d+#")


@cache
def is_held(edge: Edge, seed: int) -> bool:
    """Say whether this pair of primitives is held out: a pure function of its names and the split's seed."""
    return _share(f"{seed}{edge}") < HELD_PAIRS


def split_of(edges: Iterable[Edge], code: str, *, seed: int) -> Split:
    """Return where a program belongs, by its compositions and its code's template."""
    if any(is_held(edge, seed) for edge in edges):
        return "composition"
    return "iid" if _share(f"{seed}{_SLOT.sub('?', code)}") < HELD_PROGRAMS else "train"


def _share(text: str) -> float:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32
