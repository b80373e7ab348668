"""`tutelage demo`: one real training from data to files, in a minute or so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from tutelage.interfaces.cli.options import AsJson

if TYPE_CHECKING:
    from tutelage.client import Client
    from tutelage.core.wire import Operation

SOURCE = "sklearn:breast_cancer"
TRIALS = 20
JOB: dict[str, Any] = {
    "task": "train_model",
    "modelType": "classification",
    "algorithm": "lightgbm",
    "trainDataPath": SOURCE,
    "targetColumn": "target",
    "validationStrategy": {"type": "stratified_kfold", "folds": 5, "shuffle": True},
    "hyperparameterSearch": {"enabled": True, "nTrials": TRIALS, "sampler": "tpe", "pruner": "median"},
    "experimentTracking": {"enabled": False},
}


def demo(as_json: AsJson = False) -> None:
    """Train on real data and show everything: data, search, verdict, result, files."""
    from tutelage.interfaces.cli.session import print_json, session
    from tutelage.interfaces.cli.watch import exit_code, wait_quietly

    with session(new_home=True) as client:
        if as_json:
            ended = wait_quietly(client, client.submit(_spec()).id)
            print_json(ended)
        else:
            ended = _play(client)
    raise typer.Exit(exit_code(ended))


def _spec() -> dict[str, Any]:
    return {"service": "tabular", "name": "demo", "config": {k: v for k, v in JOB.items() if k != "task"}}


def _play(client: Client) -> Operation:
    """Show baseline, data, search and result; the data waits for the baseline, which would come later beside it."""
    from tutelage.core.wire import InspectRequest
    from tutelage.interfaces.cli import inspection
    from tutelage.interfaces.cli.terminal import say
    from tutelage.interfaces.cli.watch import follow_live

    operation = client.submit(_spec())
    _heading("1 A training starts", f"LightGBM, {TRIALS} trials, each cross-validated in 5 folds")
    say(f"  {operation.id} in {client.health().home}")
    _baseline(client, operation.id)
    _heading("2 Its data", f"{SOURCE}: real measurements that come with scikit-learn")
    seen = client.inspect(InspectRequest(data={"dataPath": SOURCE}))
    say(*(_shifted(line) for line in inspection.facts(seen.data)))
    _heading("3 The search, live", "it would go on without this terminal")
    return follow_live(client, operation.id, data=SOURCE)


def _baseline(client: Client, operation_id: str) -> None:
    """Wait for the first metric of the operation and show it with its age."""
    from tutelage.interfaces.cli import words
    from tutelage.interfaces.cli.terminal import say

    for event in client.stream(operation_id):
        values = event.data.get("values")
        if event.kind == "metric" and not event.scope and isinstance(values, dict) and values:
            started = client.operation(operation_id).created_at
            after = words.duration((words.moment(event.at) - words.moment(started)).total_seconds())
            shown = "  ".join(f"{name} {words.number(float(str(value)))}" for name, value in values.items())
            say(f"  First metric after {after}: {shown}")
            return


def _heading(title: str, about: str) -> None:
    from rich.text import Text

    from tutelage.interfaces.cli.terminal import say

    say(Text.assemble(("\n" + title, "bold"), f"  {about}"))


def _shifted(line: Any) -> Any:
    from rich.padding import Padding

    return Padding(line, (0, 0, 0, 2))
