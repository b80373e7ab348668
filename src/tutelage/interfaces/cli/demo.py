"""`tutelage demo`: two real trainings in two minutes or so, one that goes well and one that a policy has to stop."""

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
    """Train on real data and show everything: data, search, verdict, result, files; then a run that goes wrong."""
    from tutelage.interfaces.cli import demo_overfitting as second
    from tutelage.interfaces.cli.session import print_json, session
    from tutelage.interfaces.cli.watch import exit_code, wait_quietly

    with session(new_home=True) as client:
        if as_json:
            file, _ = second.mislabelled(SOURCE, second.folder_of(client))
            ended = [wait_quietly(client, asked.id) for asked in (client.submit(_spec()), second.submit(client, file))]
            print_json(ended)
        else:
            first = _play(client)
            if exit_code(first):
                raise typer.Exit(exit_code(first))
            ended = [first, _play_second(client, first)]
    raise typer.Exit(max(exit_code(item) for item in ended))


def _play_second(client: Client, first: Operation) -> Operation:
    """Show the training that overfits, what the policy did, and how to go on."""
    from tutelage.interfaces.cli import demo_overfitting as second
    from tutelage.interfaces.cli import tables
    from tutelage.interfaces.cli.follow import show_ending
    from tutelage.interfaces.cli.terminal import say
    from tutelage.interfaces.cli.watch import exit_code

    _heading("4 The same table, mislabelled", "a quarter of the labels wrong, a deep booster, and nobody watches")
    file, changed = second.mislabelled(SOURCE, second.folder_of(client))
    operation = second.submit(client, file)
    say(*(_shifted(line) for line in second.asked(operation, file, changed)))
    ended = second.watch(client, operation.id)
    if exit_code(ended):
        show_ending(client, ended, data=str(file))
        return ended
    _heading("5 What happened", "each line as it came; the final fit is judged round by round")
    say(second.happened(client, ended))
    _heading("6 The curve", "of the final fit; ^ marks the round since which it overfits")
    say(*(_shifted(line) for line in second.curves(client, ended)))
    _heading("7 The two runs", f"tutelage compare {_short(first)} {_short(ended)}")
    say(*(_shifted(line) for line in tables.comparison(client.compare((first.id, ended.id)))))
    _heading("8 The ledger", "append-only and chained: who decided what, on which evidence")
    say(*(_shifted(line) for line in second.ledger(client, ended)))
    _heading("Go on", "")
    say(*(_shifted(line) for line in second.next_steps(client, ended)))
    return ended


def _short(operation: Operation) -> str:
    from tutelage.interfaces.cli.words import short

    return short(operation.id)


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
