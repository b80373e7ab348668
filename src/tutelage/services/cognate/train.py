"""Pretrains one language model, or several in one operation."""

from __future__ import annotations

from typing import Any

from tutelage.core.ports import Run
from tutelage.services.cognate.config import CognateConfig
from tutelage.services.cognate.prepare import Prepared, prepare
from tutelage.services.cognate.pretraining import pretrain
from tutelage.services.cognate.variants import train_several


def train(config: CognateConfig, run: Run) -> dict[str, Any] | None:
    """Prepare the data, train, evaluate and write the artifacts; None where it was paused or cancelled."""
    run.phase("preparing")
    if config.names:
        return train_several(config, run)
    prepared: Prepared = prepare(config, run, seed=run.seed)
    return pretrain(config, run, prepared)
