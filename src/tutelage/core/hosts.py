"""Hosts: other Tutelages that run operations of this one, as the settings name them."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from tutelage.core.spec import Document

PREFIX = "host:"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"


class HostAddress(Document):
    """Where another Tutelage answers, and the token that it gave us."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"url": "https://gpu.example:8765", "token": "tut_..."}]})

    url: str = Field(pattern=r"^https?://[^\s@]+$", max_length=2_000, description="where its `tutelage serve` answers")
    token: str = Field(repr=False, min_length=1, description="a token of scope operate, made there")


def host_of(executor: str) -> str | None:
    """Return the name of the host in `host:NAME`, or None for this machine."""
    return executor.removeprefix(PREFIX) if executor.startswith(PREFIX) else None
