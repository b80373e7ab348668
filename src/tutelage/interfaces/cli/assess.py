"""`assess`: a verdict on the curves of any file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutelage.interfaces.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tutelage.analysis.forecast import Arrival
    from tutelage.analysis.library import Examination

PLOT_WIDTH, PLOT_HEIGHT = 64, 10

Named = list[str] | None


def assess(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV, JSON lines, TensorBoard events, mlruns folder or mlflow.db.")
    ],
    direction: Annotated[
        Named, typer.Option("--direction", "-d", metavar="NAME=maximize", help="Losses are minimised; say others.")
    ] = None,
    pair: Annotated[
        Named, typer.Option(metavar="VAL=TRAIN", help="The training twin of a curve; default: val_loss=train_loss.")
    ] = None,
    metric: Annotated[str | None, typer.Option("--metric", "-m", help="The curve that counts.")] = None,
    role: Annotated[
        Named, typer.Option(metavar="NAME=ROLE", help="What a side signal is, such as lr=learning_rate.")
    ] = None,
    baseline: Annotated[Named, typer.Option(metavar="NAME=VALUE", help="What a trivial model reaches.")] = None,
    budget: Annotated[float | None, typer.Option(help="The step at which the run ends.", min=1)] = None,
    target: Annotated[float | None, typer.Option(help="Also say when the curve will reach this value.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge the curves of a file: verdict, evidence, best step. Exits with 3 when a stop is advised."""
    from tutelage.analysis.library import examine
    from tutelage.analysis.readers import read_curves
    from tutelage.core.errors import EXIT_ADVISED
    from tutelage.core.findings import Advice
    from tutelage.interfaces.cli.session import print_json
    from tutelage.interfaces.cli.terminal import say

    runs = read_curves(file)
    found = [
        examine(
            run.curves,
            _named("--direction", direction),
            _named("--pair", pair) or None,
            objective=metric,
            roles=_named("--role", role),
            baselines={name: _number("--baseline", value) for name, value in _named("--baseline", baseline).items()},
            budget=budget,
        )
        for run in runs
    ]
    arrivals = [None if target is None else _arrival(item, target) for item in found]
    if as_json:
        documents = [document(*item) for item in zip([run.source for run in runs], found, arrivals, strict=True)]
        print_json(documents[0] if len(documents) == 1 else {"runs": documents})
    else:
        for run, item, arrival in zip(runs, found, arrivals, strict=True):
            say(*lines(run.source if len(runs) > 1 else "", item, arrival, target))
    if any(item.assessment.recommendation.do in (Advice.STOP, Advice.USE_CHECKPOINT) for item in found):
        raise typer.Exit(EXIT_ADVISED)


def document(source: str, found: Examination, arrival: Arrival | None) -> dict[str, Any]:
    """Return what `--json` prints of one run."""
    answer: dict[str, Any] = {"source": source, "metric": found.metric, "best": None}
    if found.best is not None:
        sign = -1.0 if found.is_maximized else 1.0
        near = (found.best.first_step, found.best.last_step)
        best = {"metric": found.metric, "value": sign * found.best.value, "step": found.best.step}
        answer["best"] = {**best, "indistinguishable_from": near}
    if arrival is not None:
        answer["target"] = {"step": arrival.step, "low": arrival.low, "high": arrival.high}
    return {**answer, "assessment": found.assessment.model_dump(mode="json")}


def lines(source: str, found: Examination, arrival: Arrival | None, target: float | None) -> list[RenderableType]:
    """Return one run at a glance: the curve, the verdict, the evidence, the best step."""
    from rich.text import Text

    from tutelage.interfaces.cli import show, words
    from tutelage.interfaces.cli.plot import plot
    from tutelage.interfaces.cli.terminal import VERDICT_SIGNS

    said = found.assessment
    sign, style = VERDICT_SIGNS[said.verdict]
    names = [found.metric, *([found.twin] if found.twin else [])]
    shown: list[RenderableType] = [Text(source, style="bold")] if source else []
    drawn = plot([found.curves[name] for name in names], width=PLOT_WIDTH, height=PLOT_HEIGHT, marked=said.since_step)
    shown += [Text(line, style="dim") for line in drawn]
    shown.append(Text(" with ".join(names), style="dim"))
    word = str(said.verdict).replace("_", " ")
    shown.append(Text.assemble((f"\n{sign} {word}", f"bold {style}".strip()), f"  {said.sentence}"))
    if said.detail:
        shown.append(Text(f"  {said.detail}"))
    sure = "" if said.confidence is None else f", right in {said.confidence:.0%} of such cases".replace("%", " %")
    shown.append(Text(f"  Recommended: {show.advice(said.recommendation)}{sure}"))
    shown += [Text(f"  {show.evidence(item)}", style="dim") for item in said.evidence]
    if found.best is not None:
        near = f"{found.best.first_step:,} to {found.best.last_step:,} cannot be told apart"
        shown.append(Text(f"  best step {found.best.step:,} ({near})", style="dim"))
    if target is not None:
        shown.append(Text(f"  {words.number(target)}: {_when(arrival)}", style="dim"))
    return shown


def _arrival(found: Examination, target: float) -> Arrival | None:
    from tutelage.analysis.forecast import time_to_target
    from tutelage.analysis.series import oriented

    sign = -1.0 if found.is_maximized else 1.0
    return time_to_target(oriented(found.curves[found.metric], maximize=found.is_maximized), sign * target)


def _when(arrival: Arrival | None) -> str:
    if arrival is None:
        return "the curve is too short to say when, or does not improve"
    if arrival.step is None:
        return "not within ten times the steps seen, by the form that fits best"
    low = "?" if arrival.low is None else f"{arrival.low:,}"
    high = "never" if arrival.high is None else f"{arrival.high:,}"
    return f"at step {arrival.step:,}, between {low} and {high}, if it goes on like this"


def _named(option: str, given: Named) -> dict[str, Any]:
    """Return NAME=VALUE arguments by name."""
    from tutelage.interfaces.cli.errors import usage_error

    found = {}
    for item in given or []:
        name, sign, value = item.partition("=")
        if not sign or not name or not value:
            raise usage_error(
                f"{option} takes NAME=VALUE, got {item!r}", hint=f"for instance {option} val_acc=maximize"
            )
        found[name] = value
    return found


def _number(option: str, text: str) -> float:
    from tutelage.interfaces.cli.errors import usage_error

    try:
        return float(text)
    except ValueError:
        raise usage_error(
            f"{option} takes a number, got {text!r}", hint=f"for instance {option} val_loss=0.69"
        ) from None
