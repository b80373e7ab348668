"""Policies: rules that turn a finding or a verdict into a command when nobody watches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from tutelage.core.document import Document
from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.findings import Verdict

CODES = (*(f"H{number:03}" for number in range(1, 13)), *(f"H{number}" for number in range(101, 105)))
VERDICTS = tuple(str(item) for item in Verdict if item not in (Verdict.FINISHED, Verdict.INSUFFICIENT_EVIDENCE))
AT_ONCE = {"H004", "H005", "non_finite", "stalled"}
"""What does not get better by waiting for another evaluation."""

LEAST_HOLD, HOLD_SHARE = 3, 0.05
"""The default hold: 5 % of the expected evaluations, three at least."""

Do = Literal["stop", "pause", "checkpoint", "tune", "ask"]
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "cautious": {"non_finite": "stop", "diverged": {"do": "ask"}},
    "thrifty": {
        "non_finite": "stop",
        "diverged": "stop",
        "overfitting": "stop",
        "not_learning": "stop",
        "plateaued": "stop",
    },
}
"""Autopilots: `cautious` ends what cannot recover and asks about what hardly can; `thrifty` ends what wastes time."""


class PolicyAction(Document):
    """What to do when a finding or verdict appears, and after how many evaluations that keep it."""

    do: Do = Field(description="the command; ask pauses and waits for approve or reject")
    hold: int | None = Field(
        None,
        ge=0,
        description="evaluations it must persist; default 5 % of the expected ones, at least 3, 0 for non-finite",
    )
    min_step: int = Field(0, ge=0, description="first step at which the rule may act")
    times: int = Field(1, ge=1, le=1000, description="how often it may act in the operation's life")
    args: dict[str, JsonValue] = Field(default_factory=dict, description="of tune: setting -> value")
    deadline_s: float = Field(3600.0, gt=0, le=30 * 86400, description="of ask: time to answer; none is a no")

    @model_validator(mode="after")
    def _nothing_inert(self) -> PolicyAction:
        if (self.do == "tune") != bool(self.args):
            raise InvalidSpec(
                "'args' belong to tune, and tune needs them", hint='{"do": "tune", "args": {"lr": 0.001}}'
            )
        return self

    def hold_of(self, key: str, expected: float | None) -> int:
        """Return the hold: its own, else the default for `expected` evaluations."""
        if self.hold is not None:
            return self.hold
        return 0 if key in AT_ONCE else max(LEAST_HOLD, round(HOLD_SHARE * (expected or 0)))


class Policy(Document):
    """Rules by which the supervisor acts when nobody watches."""

    on: dict[str, PolicyAction] = Field(default_factory=dict, description="finding code or verdict -> action")
    preset: Literal["cautious", "thrifty"] | None = Field(None, description="rules by name; those of `on` come before")
    max_restarts: int = Field(2, ge=0, le=100, description="automatic resumes in a row without a new checkpoint")

    @field_validator("on", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """Read `"H004": "stop"` as `"H004": {"do": "stop"}`."""
        if not isinstance(value, Mapping):
            return value
        for key in value:
            if key not in CODES and key not in VERDICTS:
                raise unknown("finding or verdict in policy.on", str(key), (*CODES, *VERDICTS))
        return {key: {"do": item} if isinstance(item, str) else item for key, item in value.items()}

    @property
    def rules(self) -> dict[str, PolicyAction]:
        """Every rule by its key: those of `on`, then the preset's for other keys."""
        named = Policy(on=dict(PRESETS[self.preset])).on if self.preset else {}
        return {**named, **self.on}
