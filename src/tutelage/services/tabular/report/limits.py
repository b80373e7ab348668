"""What the result says of limits: the rows of the kept model, every step down the ladder, what a rerun gives."""

from __future__ import annotations

from typing import Any

from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.fitting.ladder import Ladder
from tutelage.services.tabular.report.final import Final
from tutelage.services.tabular.search.state import State


def limits_metadata(config: TabularConfig, state: State, final: Final, ladder: Ladder) -> dict[str, Any]:
    """Return the part of the metadata that limits have a say in."""
    found: dict[str, Any] = {"rowsUsed": final.rows, "ladder": [dict(step) for step in ladder.steps]}
    if state.fold_rows is not None:
        found["rowsOfAFold"] = state.fold_rows
    for name, value in (("timeLimit", config.time_limit), ("memoryLimit", config.memory_limit)):
        if value is not None:
            found[name] = value
    if config.deterministic:
        found["deterministic"] = {
            "rerun": "bit-identical",
            "holds": "for the same data, package versions, machine type and resources.cpus",
            "isKept": not ladder.steps,
        }
    return found
