"""Where a job waits for a person's or an agent's yes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tutelage.services.tabular.config.base import CamelDocument

DAY_S = 86_400.0


class Approval(CamelDocument):
    """Which step waits for a yes; a no, or none in time, means that the step is not done."""

    before: Literal["final", "release"] = Field(
        "release", description="final: before the kept model is trained; release: before the tested model may be used"
    )
    deadline_s: float = Field(
        DAY_S, gt=0, le=365 * DAY_S, description="seconds to wait for an answer; none in time counts as no"
    )
