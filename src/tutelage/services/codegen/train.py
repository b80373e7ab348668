"""One operation of `codegen`: the phase that its config asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.core.ports import Run
from tutelage.core.service import load
from tutelage.services.codegen.config import CodegenConfig, Phase

PHASES: Mapping[Phase, str] = {
    "architect": "tutelage.services.codegen.phases.architect:architect",
    "optimizer": "tutelage.services.codegen.phases.optimizer:optimizer",
    "accelerator": "tutelage.services.codegen.phases.accelerator:accelerator",
    "integrator": "tutelage.services.codegen.phases.integrator:integrator",
}
"""Phase -> its function; what each imports is heavy, so only the one that is asked for is loaded."""


def train(config: CodegenConfig, run: Run) -> dict[str, Any] | None:
    """Run a phase; None where it was paused or cancelled."""
    run.phase("preparing")
    result: dict[str, Any] | None = load(PHASES[config.phase])(config, run)
    return result
