"""The options of a channel as a spec gives them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tutelage.core.document import Document

Reading = Literal["each", "mean"]
Protocol = Literal["direct", "broadcast"]


class ChannelOptions(Document):
    """How words travel between the agents of a team."""

    reading: Reading = Field(
        "each",
        description="what a hearer sees: each speaker's word in a place of its own, or the mean of the words it heard",
    )
    echo: bool = Field(
        False, description="agents that both speak and hear also hear their own last word, as one reads one's own note"
    )
    noise: float = Field(0.0, ge=0.0, le=1.0, description="chance that a word arrives as another one")
    drop: float = Field(0.0, ge=0.0, le=1.0, description="chance that a word does not arrive")
    budget: int | None = Field(
        None, ge=1, description="messages an agent may send in one episode; with a budget it may also stay silent"
    )
