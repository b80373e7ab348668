"""What ends a training by itself."""

from __future__ import annotations

from tutelage.core.errors import TrainingError


class NonFiniteGradient(TrainingError):
    """A loss, gradient or weight became NaN or infinite, and the plan does not skip it, or not any more."""

    code = "non_finite"
