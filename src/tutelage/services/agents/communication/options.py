"""The options of a channel as a spec gives them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Reading = Literal["each", "mean"]
Protocol = Literal["direct", "broadcast"]


class ChannelOptions(BaseModel):
    """How words travel between the agents of a team."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reading: Reading = Field(
        default="each",
        description="what a hearer sees: `each` speaker's word in a place of its own (which the attention policy "
        "attends to), or the `mean` of all words it heard",
    )
    bias: float = Field(
        default=0.1,
        ge=0.0,
        le=10.0,
        description="weight of the positive-signalling bias H(m) - H(m|s) of Eccles et al. 2019; 0 leaves it out, "
        "and then most teams never learn to speak",
    )
    noise: float = Field(default=0.0, ge=0.0, le=1.0, description="chance that a word arrives as another one")
    drop: float = Field(default=0.0, ge=0.0, le=1.0, description="chance that a word does not arrive")
    budget: int | None = Field(
        default=None,
        ge=1,
        description="messages an agent may send in one episode; with a budget it may also stay silent",
    )
