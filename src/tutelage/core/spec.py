"""What a person or program writes to ask for an operation."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

MAX_TEXT = 2_000
MAX_NAME = 120


class Document(BaseModel):
    """Base of everything a user writes: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Resources(Document):
    """What the operation may use of the machine; the queue admits by these figures."""

    cpus: int = Field(1, ge=1, le=1024, description="CPU slots; also the worker's thread count")
    gpus: int = Field(0, ge=0, le=64, description="GPU slots")
    memory_gib: float = Field(4.0, gt=0, le=4096, description="memory limit of the worker and its children, GiB")
    max_wall_s: float | None = Field(None, gt=0, description="wall time after which the run is stopped, seconds")
    priority: int = Field(0, ge=-100, le=100, description="higher starts first")


class PolicyAction(Document):
    """What to do when a finding or verdict appears, and after how many evaluations that keep it."""

    do: Literal["stop", "pause", "checkpoint", "tune", "notify", "ask"] = Field(description="the command")
    hold: int = Field(0, ge=0, description="evaluations the finding must persist")
    min_step: int = Field(0, ge=0, description="first step at which the rule may act")


class Policy(Document):
    """Rules by which the supervisor acts when nobody watches."""

    on: dict[str, PolicyAction | str] = Field(default_factory=dict, description="finding code or verdict -> action")
    max_restarts: int = Field(2, ge=0, le=100, description="automatic resumes in a row without a new checkpoint")


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
