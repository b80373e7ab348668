"""What the judge may know about a metric. Nothing of it is guessed from a name."""

from __future__ import annotations

from dataclasses import dataclass

from tutelage.core.service import Direction, Role


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One metric as declared: `pairs` names the training twin of a validation metric, `baseline` the trivial value."""

    direction: Direction | None = None
    unit: str = ""
    pairs: str | None = None
    baseline: float | None = None
    baseline_name: str = ""
    role: Role | None = None

    @property
    def maximize(self) -> bool:
        """Greater is better."""
        return self.direction == "maximize"


__all__ = ["Declared", "Direction", "Role"]
