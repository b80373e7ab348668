"""The demo's second act: the same table with wrong labels, a deep booster that overfits, a policy that stops it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from tutelage.client import Client
from tutelage.client.uploads import with_uploads
from tutelage.core import wire
from tutelage.core.errors import TrainingError
from tutelage.core.events import EventKind
from tutelage.core.findings import Verdict
from tutelage.interfaces.cli import follow, show, tables, words
from tutelage.interfaces.cli.errors import is_tty
from tutelage.interfaces.cli.plot import plot
from tutelage.interfaces.cli.serve import PORT
from tutelage.interfaces.cli.terminal import VERDICT_SIGNS, table

MISLABEL = "tutelage.services.tabular.data.mislabel"
"""Started by name, in a process of its own: the command line reads no tables."""

SHARE, SEED = 0.25, 7
FOLDS, TREES_A_ROUND = 2, 10
BOOSTER: dict[str, Any] = {
    "n_estimators": 800,
    "max_depth": 8,
    "learning_rate": 0.01,
    "min_samples_leaf": 2,
    "max_features": 0.2,
    "subsample": 0.3,
}
"""Trees that are deep enough to learn wrong labels by heart."""

SCOPE = "final"
TRAIN, VALIDATION = "train_logloss", "val_logloss"
PLOT_WIDTH, PLOT_HEIGHT = 64, 8
TOLD = (EventKind.PHASE, EventKind.VERDICT, EventKind.COMMAND, EventKind.APPLIED)


def mislabelled(source: str, folder: Path) -> tuple[Path, int]:
    """Write the table with wrong labels; return the file and how many rows were changed."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{source.partition(':')[2]}_{SHARE:.0%}_wrong.csv".replace("%", "pct")
    command = [sys.executable, "-m", MISLABEL, source, str(file), str(SHARE), "--seed", str(SEED)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise TrainingError(f"{source} could not be written with wrong labels", hint=done.stderr.strip()[-300:])
    return file, int(done.stdout)


def spec(file: Path) -> dict[str, Any]:
    """Return what is asked for: one set of parameters, far too deep for labels of which a quarter is wrong."""
    return {
        "service": "tabular",
        "name": "demo, 25 % wrong labels",
        "config": {
            "modelType": "classification",
            "algorithm": "gradient_boosting",
            "trainDataPath": str(file),
            "targetColumn": "target",
            "validationStrategy": {"type": "stratified_kfold", "folds": FOLDS, "shuffle": True},
            "hyperparameterSearch": {
                "enabled": True,
                "nTrials": 1,
                "space": {name: {"choices": [value]} for name, value in BOOSTER.items()},
            },
            "experimentTracking": {"enabled": False},
        },
        "policy": {"on": {"overfitting": "stop"}},
    }


def folder_of(client: Client) -> Path:
    """Return where the table is written: in the home, or beside the caller where the home is elsewhere."""
    return (client.files.root if client.files else Path.cwd()) / "demo"


def submit(client: Client, file: Path) -> wire.Operation:
    """Hand the second training over; a server elsewhere is sent the table."""
    return client.submit(with_uploads(client, spec(file)))


def asked(operation: wire.Operation, file: Path, changed: int) -> Iterator[RenderableType]:
    """Yield what is trained, and the rule that stands in for somebody who watches."""
    yield Text(f"{words.plural(changed, 'label')} changed; the table is {file}")
    booster = ", ".join(f"{name} {words.number(value)}" for name, value in BOOSTER.items())
    yield Text(f"Gradient boosting: {booster}")
    yield Text.assemble(
        "Policy: ", ("overfitting → stop", "bold"), ", once it has held for 5 % of the rounds, 3 at least"
    )
    yield Text(f"{operation.id}", style="dim")


def watch(client: Client, operation_id: str) -> wire.Operation:
    """Follow the training until it has ended: live on a terminal, else line by line."""
    if is_tty():
        return follow.live(client, operation_id)
    return follow.plain(client, operation_id)


def happened(client: Client, operation: wire.Operation) -> RenderableType:
    """Return what was said and done from the final fit on, as the events have it."""
    page = client.events(operation.id, kinds=tuple(str(kind) for kind in TOLD))
    begun = next((at for at, event in enumerate(page.items) if event.data.get("phase") == SCOPE), len(page.items))
    rows = table("at", "what", wide=["what"])
    rows.show_header = False
    for event in page.items[begun:]:
        style = VERDICT_SIGNS[Verdict(str(event.data["verdict"]))][1] if event.kind is EventKind.VERDICT else ""
        rows.add_row(Text(words.clock(event.at), style="dim"), Text(follow.sentence(event), style=style))
    return Padding(rows, (0, 0, 0, 2))


def curves(client: Client, operation: wire.Operation) -> Iterator[RenderableType]:
    """Yield the picture of the final fit's losses with the step since which it overfits, and what was kept."""
    told = client.events(operation.id, kinds=(str(EventKind.VERDICT),)).items
    turned = next((item for item in told if item.scope == SCOPE and item.data["verdict"] == Verdict.OVERFITTING), None)
    history = client.metrics(operation.id, scope=SCOPE, keys=(TRAIN, VALIDATION))
    train, validation = _points(history, TRAIN), _points(history, VALIDATION)
    marked = turned.step if turned else None
    yield from (Text(line) for line in plot([validation], width=PLOT_WIDTH, height=PLOT_HEIGHT, marked=marked))
    yield Text(f"{VALIDATION}; {TRAIN} went from {words.number(train[0][1])} to {words.number(train[-1][1])} meanwhile")
    metadata = (operation.result or {}).get("metadata")
    if isinstance(metadata, dict) and metadata.get("finalEndedAfter"):
        planned = BOOSTER["n_estimators"] // TREES_A_ROUND
        yield Text(
            f"Stopped after {metadata['finalEndedAfter']} of {planned} rounds ({TREES_A_ROUND} trees each); "
            f"kept: {metadata['rounds']}, the best on validation."
        )


def ledger(client: Client, operation: wire.Operation) -> Iterator[RenderableType]:
    """Yield the decisions on the operation with the evidence of the last one, and whether the ledger's chain holds."""
    decisions = client.decisions(operation.id)
    yield from tables.ledger(decisions)
    if decisions:
        yield Text("Evidence at that moment: " + "; ".join(map(show.evidence, decisions[-1].evidence)))
    state = client.verify_ledger()
    yield tables.ledger_state(state.entries, state.first_broken)


def next_steps(client: Client, operation: wire.Operation) -> Iterator[RenderableType]:
    """Yield how to see both runs on the page, how to let an agent in, and what to read."""
    key, page = words.short(operation.id), f"http://127.0.0.1:{PORT}/#/op/{operation.id}"
    rows = table("command", "about", wide=["about"])
    rows.show_header = False
    rows.add_row("tutelage serve", f"the page: sign in by the link it prints, then {page}")
    rows.add_row(
        "claude mcp add tutelage -- tutelage mcp", "lets an agent watch, compare and steer; others: docs/how-to"
    )
    rows.add_row(f"tutelage show {key} --why", "the verdict with its evidence and every check")
    yield rows


def _points(history: wire.MetricHistory, key: str) -> list[tuple[int, float]]:
    values = history.values.get(key, [])
    return [(step, float(value)) for step, value in zip(history.steps, values, strict=True) if value is not None]
