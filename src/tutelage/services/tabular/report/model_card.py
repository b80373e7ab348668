"""`model_card.md`: what was trained on what, how it was tested, what it is worth; its numbers are the result's own."""

from __future__ import annotations

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tutelage import __version__
from tutelage.services.tabular.catalog import ALGORITHMS, CLASSIFICATION, CLUSTERING, GLOSSARY, direction_of, is_better
from tutelage.services.tabular.plan import Plan

if TYPE_CHECKING:
    from tutelage.services.tabular.models.permutation import Permuted

CARD = "model_card.md"
MANY_MISSING = 0.2
SMALL_CLASS = 0.1
"""Share of the rows below which one class of two is told as rare; with more classes it shrinks as their share does."""

MAX_NAMED = 40
BETTER = {item.name: {"maximize": "higher", "minimize": "lower"}.get(item.direction or "", "-") for item in GLOSSARY}
"""Score -> which values are better; a dash where it is not searched on, such as the number of clusters."""

LIBRARIES = ("scikit-learn", "numpy", "pandas", "optuna")
CONTENTS = {
    "confusion": "confusion_matrix.png",
    "roc": "roc_curve.png",
    "precision_recall": "precision_recall.png",
    "calibration": "calibration.png",
    "residuals": "residuals.png",
}


@dataclass(frozen=True, kw_only=True)
class Card:
    """What the card is made of: the result document, the plan, and what the other files say."""

    name: str
    operation: str
    result: Mapping[str, Any]
    plan: Plan
    search: Mapping[str, Any]
    permutation: Permuted | None
    curves: Mapping[str, Mapping[str, Any]]


def model_card(card: Card) -> str:
    """Return the card in Markdown."""
    parts = (_purpose, _data, _procedure, _results, _importance, _limits, _use, _versions)
    return "\n".join(line for part in parts for line in (*part(card), ""))


def _purpose(card: Card) -> Iterator[str]:
    facts = card.result["metadata"]
    classes = facts["classes"]
    what = f"{facts['modelType']} of " + (f"`{facts['target']}`" if card.plan.task != CLUSTERING else "rows")
    yield f"# {card.name}"
    yield ""
    yield f"A model for the {what}, trained by Tutelage as operation `{card.operation}` with `{facts['algorithm']}`."
    if classes:
        shown = ", ".join(f"`{name}`" for name in classes[:MAX_NAMED])
        yield f"Classes ({len(classes)}): {shown}{' ...' if len(classes) > MAX_NAMED else ''}."


def _data(card: Card) -> Iterator[str]:
    facts = card.result["metadata"]
    yield "## Data"
    yield ""
    yield from _table(
        ("table", "source", "rows", "columns", "SHA-256"),
        [
            (name, f"`{record['source']}`", f"{record['rows']:,}", record["columns"], f"`{record['sha256']}`")
            for name, record in facts["data"].items()
        ],
    )
    yield ""
    held = "a table of its own" if "test" in facts["data"] else "held out before anything was learned from the rows"
    yield f"Trained on {facts['rowsUsed']:,} rows, tested on {facts['rowsTest']:,} ({held})."
    kinds: dict[str, list[str]] = {}
    for column in card.plan.reader.columns:
        kinds.setdefault(column.kind, []).append(f"`{column.name}`")
    yield ""
    yield f"Columns learned from: {facts['numFeatures']}."
    yield ""
    for kind, names in kinds.items():
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        yield f"- {kind} ({len(names)}): {', '.join(names[:MAX_NAMED])}{more}"
    for name, reason in list(facts["ignoredColumns"].items())[:MAX_NAMED]:
        yield f"- not learned from: `{name}` ({reason})"


def _procedure(card: Card) -> Iterator[str]:
    facts, search = card.result["metadata"], card.search
    yield "## Procedure"
    yield ""
    checked = facts["validation"]
    yield f"- validation: {checked['type']}, {checked['folds']} folds; objective `{facts['objective']}`"
    states = f"{facts['nTrialsComplete']} complete, {facts['nTrialsPruned']} pruned, {facts['nTrialsFailed']} lost"
    how = f", sampler {search['sampler']}, pruner {search['pruner']}" if search["enabled"] else ", no search"
    yield f"- trials: {facts['nTrials']} ({states}){how}; the best is number {facts['bestTrialNumber']}"
    if facts["rounds"] is not None:
        yield f"- rounds of the kept model: {facts['rounds']}"
    yield f"- time for data, search and fits: {facts['trainingTime']:g} s"
    yield ""
    yield "Best parameters:"
    yield ""
    best = card.result["bestParams"]
    yield from _table(("parameter", "value"), [(f"`{name}`", value) for name, value in best.items()])


def _results(card: Card) -> Iterator[str]:
    facts, metrics = card.result["metadata"], card.result["metrics"]
    cross, baseline = metrics["crossValidation"], facts["baseline"]
    yield "## Results"
    yield ""
    rows = []
    for name, value in metrics["test"].items():
        mean, std = cross.get(f"{name}_mean"), cross.get(f"{name}_std")
        folds = "" if mean is None else f"{mean:.5g} ± {std:.2g}"
        better = BETTER.get(name, "-")
        rows.append((f"`{name}`", f"{value:.5g}", folds, f"{baseline[name]:.5g}" if name in baseline else "", better))
    head = ("score", "test", "cross-validation, mean ± deviation", "trivial baseline, same folds", "better is")
    yield from _table(head, rows)
    threshold = facts.get("threshold")
    if threshold:
        second, tuned = card.plan.classes[1], threshold["optimizeFor"]
        yield ""
        yield f"`{second}` is predicted from a probability of {threshold['value']:.4g} on: tuned for {tuned}."
    if metrics.get("latency"):
        found = metrics["latency"]
        yield ""
        yield (
            f"One row takes {found['row_ms_p50']:.3g} ms (95th percentile {found['row_ms_p95']:.3g} ms), batches reach "
            f"{found['rows_per_s']:,.0f} rows/s on the machine that trained it, warm; "
            f"the model has {facts['modelBytes']:,} bytes."
        )
    shown = [CONTENTS[name] for name in card.curves if f"artifacts/{CONTENTS.get(name)}" in card.result["artifacts"]]
    if shown:
        yield ""
        yield " ".join(f"![{name.partition('.')[0]}]({name})" for name in shown)


def _importance(card: Card) -> Iterator[str]:
    found = card.permutation
    if found is None:
        return
    objective = card.result["metadata"]["objective"]
    yield "## What it learned from"
    yield ""
    yield f"Each column's values shuffled among {found.rows:,} test rows, {found.repeats} times:"
    yield ""
    worse = "loss" if direction_of(objective) == "maximize" else "rise"
    rows = [
        (f"`{name}`", f"{item['mean']:.4g}", f"{item['low']:.4g} to {item['high']:.4g}")
        for name, item in list(found.columns.items())[:10]
    ]
    yield from _table(("column", f"{worse} of {objective} when shuffled", "95 % interval"), rows)


def _limits(card: Card) -> Iterator[str]:
    yield "## Limits, as measured"
    yield ""
    found = [*_of_scores(card), *_of_rows(card), *_of_columns(card)]
    yield from (f"- {text}" for text in found or ["none of the checks of this card found one"])


def _of_scores(card: Card) -> Iterator[str]:
    facts, metrics = card.result["metadata"], card.result["metrics"]
    objective = facts["objective"]
    test, baseline = metrics["test"].get(objective), facts["baseline"][objective]
    if test is not None and not is_better(objective, test, baseline):
        yield f"the test's `{objective}` {test:.5g} is not better than the trivial baseline's {baseline:.5g}"
    mean, std = (metrics["crossValidation"].get(f"{objective}_{part}") for part in ("mean", "std"))
    if test is not None and mean is not None and std is not None:
        where = "better" if is_better(objective, test, mean) else "worse"
        if abs(test - mean) > 2 * std:
            yield (
                f"the test's `{objective}` is {abs(test - mean):.3g} {where} than the mean over the folds, "
                f"more than twice their deviation of {std:.3g}"
            )
    calibration = card.curves.get("calibration")
    if calibration:
        yield f"expected calibration error on the test: {calibration['expected_error']:.4f}"
    if rounds := facts.get("finalEndedAfter"):
        yield f"the final fit was stopped after {rounds} rounds; the model has {facts['rounds']}, the best of these"
    elif facts["stoppedEarly"] or not facts["bestTrialComplete"]:
        yield "the search was stopped before its budget was spent"


def _of_rows(card: Card) -> Iterator[str]:
    facts, plan = card.result["metadata"], card.plan
    if plan.task != CLASSIFICATION:
        return
    few = SMALL_CLASS * len(plan.target) * 2 / len(plan.classes)
    trained, tests = Counter(plan.target.tolist()), Counter(plan.test_target.tolist())
    for name in plan.classes[:MAX_NAMED]:
        count, tested = trained[name], tests[name]
        if count < few:
            share = count / facts["rowsTrain"]
            yield f"class `{name}` has {count:,} of the training rows ({share:.2%}) and {tested:,} of the test rows"


def _of_columns(card: Card) -> Iterator[str]:
    for column in card.plan.reader.columns[:MAX_NAMED]:
        share = column.num_missing / card.result["metadata"]["rowsTrain"]
        if share > MANY_MISSING:
            yield f"`{column.name}` is missing in {share:.1%} of the training rows"
    found = card.permutation.columns if card.permutation else {}
    useless = [name for name, item in found.items() if item["low"] <= 0 <= item["high"]]
    if useless:
        shown = ", ".join(f"`{name}`" for name in useless[:MAX_NAMED])
        yield f"shuffled alone, these columns change the score by no more than chance (95 %): {shown}"


def _use(card: Card) -> Iterator[str]:
    yield "## Use"
    yield ""
    yield from ("```console", f"$ tutelage predict {card.operation} new.csv -o predictions.csv", "```")
    yield ""
    yield "Or `python inference_example.py` beside this file. What the training rows held, by column: `schema.json`."


def _versions(card: Card) -> Iterator[str]:
    yield "## Versions"
    yield ""
    rows = [(name, version) for name, version in versions(card.result["metadata"]["algorithm"]).items()]
    yield from _table(("package", "version"), rows)


def versions(algorithm: str) -> dict[str, str]:
    """Return the versions of Python, of Tutelage and of the libraries that trained the model."""
    package = ALGORITHMS[algorithm].package or algorithm
    found = {"python": platform.python_version(), "tutelage": __version__}
    for name in (*LIBRARIES, package):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # an algorithm of scikit-learn's own
    return found


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |"
