"""Checks of how the algorithm is chosen and how its probabilities are corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular import catalog

if TYPE_CHECKING:
    from tutelage.services.tabular.config.document import TabularConfig


def check_strategy(config: TabularConfig) -> None:
    """Refuse a way of choosing where the algorithm is named."""
    if config.strategy and config.algorithm != catalog.AUTO:
        raise InvalidSpec(
            f"'strategy' chooses for algorithm auto, and {config.algorithm} is named", hint="leave one of them out"
        )


def check_calibration(config: TabularConfig) -> None:
    """Refuse calibration where there are no probabilities."""
    if config.calibration != "none" and config.task == catalog.REGRESSION:
        raise InvalidSpec("'calibration' needs classes, and this is a regression", hint="leave it out")
