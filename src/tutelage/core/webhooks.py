"""Webhooks: who is told what, in which words, and how the receiver knows that it was us."""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal

from pydantic import ConfigDict, Field

from tutelage.core.operation import State
from tutelage.core.spec import Document
from tutelage.core.wire import Best, Event, Wire

Occasion = Literal["verdict", "ended"]


class Webhook(Document):
    """One receiver, as the settings name it. A spec cannot: who may submit could make the server send anywhere."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": "https://ci.example/hooks/tutelage", "secret": "...", "on": ["ended"]}]}
    )

    url: str = Field(pattern=r"^https?://[^\s@]+$", max_length=2_000, description="where it is sent, by POST")
    secret: str = Field("", repr=False, description="signs each message; empty: messages are not signed")
    on: frozenset[Occasion] = Field(
        frozenset({"verdict", "ended"}), min_length=1, description="verdict: each change of one; ended: each end"
    )


class Notice(Wire):
    """What a receiver is sent: the event, and how its operation stands."""

    id: str = Field(description="the same on every try: a receiver that saw it before passes it over")
    on: Occasion = Field(description="why it is sent")
    operation: str = Field(description="the operation's id")
    service: str = Field(description="its service")
    name: str = Field(description="its name")
    state: State = Field(description="its state when the message was made")
    verdict: str | None = Field(None, description="its verdict when the message was made")
    sentence: str = Field("", description="the verdict in a sentence")
    best: Best | None = Field(None, description="the best value of the metric that counts")
    event: Event = Field(description="what happened")


def signature(secret: str, *, at_s: int, body: bytes) -> str:
    """Return `t=SECONDS,v1=HEX`: HMAC-SHA-256 under `secret` over the time, a dot and the body."""
    digest = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"
