"""A service of your own in one file: it estimates pi by throwing darts, obeys every command, and resumes exactly.

TUTELAGE_SERVICES='{"darts": "own_service:SERVICE"}' PYTHONPATH=$PWD/examples \
    tutelage train '{"service": "darts", "config": {"batches": 50}}' --follow
"""

import json
import math
import random
from pathlib import Path
from typing import Any

from pydantic import Field

from tutelage.core.commands import Verb
from tutelage.core.ports import Run
from tutelage.core.service import Metric, Service, Tunable
from tutelage.core.spec import Document

SERVICE = Service(
    name="darts",
    about="estimates pi from random darts",
    unit="batch",
    config="own_service:DartsConfig",
    train="own_service:train",
    supports=frozenset({"checkpoint", "branch", "tune"}),
    objective="error",
    metrics=(
        Metric(name="estimate", about="four times the share of darts inside the circle"),
        Metric(name="error", about="distance of the estimate from pi", direction="minimize"),
    ),
    tunables=(Tunable("batches", int, 1, 100_000, about="batches to throw"),),
    presets={"small": {"batches": 20}},
)


class DartsConfig(Document):
    """How many darts to throw."""

    batches: int = Field(100, ge=1, le=100_000, description="batches to throw")
    darts: int = Field(2_000, ge=1, le=1_000_000, description="darts a batch")


def train(config: DartsConfig, run: Run) -> dict[str, Any] | None:
    """Throw darts batch by batch; None means: left on a pause or cancel, a checkpoint is kept."""
    folder = run.resume()
    state = json.loads((folder / "state.json").read_text()) if folder else {"step": 0, "inside": 0, "tuned": {}}
    run.define("error", objective=True, baseline=abs(3 - math.pi), baseline_name="three")
    run.phase("throwing")
    while state["step"] < (total := state["tuned"].get("batches", config.batches)):
        while (command := run.next_command()) is not None:
            if command.verb is Verb.TUNE:
                state["tuned"].update(command.args)
            if command.verb in (Verb.PAUSE, Verb.CANCEL, Verb.CHECKPOINT):
                save(run, state)
            run.applied(command, step=state["step"])
            if command.verb in (Verb.PAUSE, Verb.CANCEL):
                return None
            if command.verb is Verb.STOP:
                return result(config, run, state)
        throw(config, run, state, total)
    return result(config, run, state)


def throw(config: DartsConfig, run: Run, state: dict[str, Any], total: int) -> None:
    """Throw one batch; its own seed makes a resumed run equal to an undisturbed one."""
    draw = random.Random(run.seed * 1_000_003 + state["step"])
    state["inside"] += sum(math.hypot(draw.random(), draw.random()) <= 1 for _ in range(config.darts))
    state["step"] += 1
    estimate = 4 * state["inside"] / (state["step"] * config.darts)
    run.metric(state["step"], estimate=estimate, error=abs(estimate - math.pi))
    run.progress(state["step"], total, message="throwing")
    if state["step"] % 10 == 0:
        save(run, state)


def save(run: Run, state: dict[str, Any]) -> None:
    """Keep the state of this step."""

    def write(folder: Path) -> None:
        (folder / "state.json").write_text(json.dumps(state))

    run.checkpoint(state["step"], write)


def result(config: DartsConfig, run: Run, state: dict[str, Any]) -> dict[str, Any]:
    """Return the result document, and write the estimate as an artifact."""
    estimate = 4 * state["inside"] / (state["step"] * config.darts)
    run.artifact("estimate.json").write_text(json.dumps({"estimate": estimate}))
    return {"success": True, "estimate": estimate, "darts": state["step"] * config.darts}
