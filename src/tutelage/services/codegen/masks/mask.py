"""What a decoder asks of a mask, whichever it is."""

from __future__ import annotations

from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tutelage.core.errors import InvalidSpec

Allowed = NDArray[np.bool_]


class Mask(Protocol):
    """The tokens that may come next in one sequence. `<eos>` is allowed where the program is whole."""

    def allowed(self) -> Allowed:
        """Return which ids may come next, (vocabulary,). At least one always may, until `<eos>` was taken."""

    def advance(self, id: int) -> None:
        """Take the next token. Raises InvalidSpec for one that is not allowed."""

    def fork(self) -> Self:
        """Return an independent mask in the same place, for the rows of a beam."""


def refused(token: str) -> InvalidSpec:
    """Build the error for a token that may not come here."""
    return InvalidSpec(f"the token {token!r} may not come here", hint="advance only by tokens that `allowed` marks")
