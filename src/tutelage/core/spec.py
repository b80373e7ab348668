"""What a person or program writes to ask for an operation."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, JsonValue

from tutelage.core.document import Document
from tutelage.core.policy import Policy, PolicyAction

MAX_TEXT = 2_000
MAX_NAME = 120


class Resources(Document):
    """What the operation may use of the machine; the queue admits by these figures."""

    cpus: int = Field(1, ge=1, le=1024, description="CPU slots; also the worker's thread count")
    gpus: int = Field(0, ge=0, le=64, description="GPU slots")
    memory_gib: float = Field(4.0, gt=0, le=4096, description="memory limit of the worker and its children, GiB")
    max_wall_s: float | None = Field(None, gt=0, description="wall time after which the run is stopped, seconds")
    priority: int = Field(0, ge=-100, le=100, description="higher starts first")


class LinkSpec(Document):
    """A relation to another operation: what it was branched from, or what it reads."""

    kind: Literal["branch", "input"] = Field(description="the relation")
    id: str = Field(description="the other operation")
    at: int | None = Field(None, description="the step of the checkpoint")
    as_: str | None = Field(None, alias="as", description="the name under which the input is read")


class Spec(Document):
    """The document that asks for an operation."""

    service: str = Field(description="one kind of training, see `tutelage services`")
    name: str = Field("", max_length=MAX_NAME, description="a name for people")
    config: dict[str, JsonValue] = Field(default_factory=dict, description="the service's own settings")
    seed: int = Field(42, ge=0, le=2**32 - 1, description="seed of every random choice")
    executor: str = Field("local", description="where the worker runs: local, or host:NAME")
    resources: Resources = Field(default_factory=Resources, description="what the run may use")
    policy: Policy = Field(default_factory=Policy, description="what happens when nobody watches")
    tags: dict[str, str] = Field(default_factory=dict, max_length=50, description="free labels")
    links: list[LinkSpec] = Field(default_factory=list, max_length=20, description="related operations")

    def document(self) -> dict[str, Any]:
        """Return the spec as the JSON that is stored and sent."""
        return self.model_dump(mode="json", by_alias=True)


__all__ = ["MAX_NAME", "MAX_TEXT", "Document", "LinkSpec", "Policy", "PolicyAction", "Resources", "Spec"]
