"""One operation on the terminal: sentence, evidence, curve, figures, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.columns import Columns
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tutelage.core import wire
from tutelage.core.commands import Verb
from tutelage.core.findings import Advice, Outcome
from tutelage.core.operation import ENDED, State
from tutelage.interfaces.cli import words
from tutelage.interfaces.cli.gates import gate_lines
from tutelage.interfaces.cli.sparkline import cells
from tutelage.interfaces.cli.terminal import INK, PAINTED, RED, VERDICT_SIGNS, headline, style_of, table

BAR_WIDTH = 24
CURVE_WIDTH = 48
MAX_LATEST = 8
LEAVES_NO_MODEL = frozenset({"script"})
"""Services whose operations end without a model that Tutelage could ask."""

WRITES_TEXT = frozenset({"cognate"})
"""Services whose models are asked for text."""

ACTS = frozenset({"agents"})
"""Services whose models are asked for actions."""

MAX_NEXT = 3
VERBS = {Advice.STOP: Verb.STOP, Advice.TUNE: Verb.TUNE, Advice.USE_CHECKPOINT: Verb.BRANCH}
"""Advice that asks for a command -> the command."""


def lines(operation: wire.Operation, *, width: int) -> Iterator[RenderableType]:
    """Yield the operation at a glance, for a terminal of `width` columns."""
    yield title(operation)
    yield state_line(operation)
    if operation.state not in ENDED:
        yield bar(operation)
    yield Text("")
    yield verdict(operation)
    yield figures(operation, width=min(CURVE_WIDTH, max(16, width - 40)))


def title(operation: wire.Operation) -> Text:
    """Return name, service and id."""
    name = operation.name or operation.service
    return Text.assemble((name, "bold"), f"  {operation.service}  ", (operation.id, "dim"))


def state_line(operation: wire.Operation) -> Text:
    """Return the state with its times: `running · phase search · attempt 1 · started 2 min ago by maria`."""
    parts = [str(operation.state)]
    if operation.phase and operation.state not in ENDED:
        parts.append(operation.phase)
    if operation.stopped_early:
        parts.append("stopped early")
    if operation.attempt > 1:
        parts.append(f"attempt {operation.attempt}")
    if operation.ended_at and operation.started_at:
        span = words.moment(operation.ended_at) - words.moment(operation.started_at)
        parts.append(f"took {words.duration(span.total_seconds())}")
        parts.append(f"ended {words.age(words.since(operation.ended_at))} ago")
    elif operation.started_at:
        parts.append(f"started {words.age(words.since(operation.started_at))} ago")
    else:
        parts.append(f"asked {words.age(words.since(operation.created_at))} ago")
    return Text(" · ".join(parts) + f" by {operation.owner.name}", style="dim")


def bar(operation: wire.Operation) -> Text:
    """Return the progress: `━━━━━━────  12 of 30 trials  41 %  5 min left`."""
    progress = operation.progress
    if progress.fraction is None:
        return Text(progress.message or operation.phase or "No progress yet.", style="dim")
    full = round(progress.fraction * BAR_WIDTH)
    text = Text.assemble(("━" * full, "green"), ("─" * (BAR_WIDTH - full), "dim"))
    if progress.done is not None and progress.total is not None:
        text.append(f"  {words.number(progress.done)} of {words.number(progress.total)} {progress.unit}s".rstrip())
    text.append(f"  {progress.fraction:.0%}".replace("%", " %"))
    if progress.eta_s is not None and operation.state is State.RUNNING:
        text.append(f"  {words.left(progress.eta_s)}")
    return text


def verdict(operation: wire.Operation) -> RenderableType:
    """Return what is happening: sign, word, sentence; below it the detail and the advice."""
    sign, style, word, sentence = headline(operation)
    grid = Table.grid(padding=(0, 2, 0, 0), expand=False)
    grid.add_row(Text(f"{sign} {word}", style=f"bold {style}".strip()), Text(sentence))
    judged = operation.assessment
    if judged and judged.detail:
        grid.add_row("", Text(judged.detail))
    if operation.error and operation.error.hint:
        grid.add_row("", Text(operation.error.hint))
    if judged and judged.recommendation.do in VERBS and operation.state not in ENDED:
        grid.add_row("", Text(f"Recommended: {advice(judged.recommendation)}"))
    return grid


def advice(recommendation: wire.Recommendation) -> str:
    """Return a recommendation with its arguments and what it saves."""
    arguments = ", ".join(f"{key} {value}" for key, value in recommendation.args.items())
    saves = f", saves {words.duration(recommendation.saves_s)}" if recommendation.saves_s else ""
    return str(recommendation.do).replace("_", " ") + (f" ({arguments})" if arguments else "") + saves


def figures(operation: wire.Operation, *, width: int) -> Table:
    """Return the judged curve, the best value and the newest ones."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    best = operation.metrics.best
    spark = operation.metrics.spark
    if spark and len(spark.points) > 1:
        named = f"  {spark.metric} {spark.scope}".rstrip()
        grid.add_row(Text("curve", style="dim"), painted(operation, width=width).append(named, style="dim"))
    if best:
        grid.add_row(Text("best", style="dim"), best_words(best, operation.metrics.unit))
    if operation.metrics.latest:
        grid.add_row(Text("latest", style="dim"), latest(operation))
    return grid


def painted(operation: wire.Operation, *, width: int) -> Text:
    """Return the sparkline in its verdict's colour from the since-step on."""
    judged, total = operation.assessment, operation.progress.total
    has_same_unit = operation.progress.unit == operation.metrics.unit and not (judged and judged.scope)
    style, since = INK, None
    if judged and judged.verdict in PAINTED and judged.since_step is not None:
        style, since = VERDICT_SIGNS[judged.verdict][1], judged.since_step
    spark, text = operation.metrics.spark, Text()
    points = spark.points if spark else []
    for cell in cells(points if len(points) > 1 else [], width=width, last_step=total if has_same_unit else None):
        is_painted = since is not None and cell.step is not None and cell.step >= since
        text.append(cell.sign, style=style if is_painted else INK)
    return text


def best_words(best: wire.Best, unit: str = "step") -> str:
    """Return the best value, its step, and the steps that cannot be told apart from it."""
    text = f"{best.metric} {words.number(best.value)} at {unit} {best.step:,}"
    if best.indistinguishable_from:
        low, high = best.indistinguishable_from
        text += f" ({low:,} to {high:,} cannot be told apart)"
    return text


def latest(operation: wire.Operation) -> Columns:
    """Return the newest values of the operation's own metrics."""
    parts = []
    for name, value in list(operation.metrics.latest.items())[:MAX_LATEST]:
        style = style_of(value) or "default"
        parts.append(Text.assemble((f"{name} ", "dim"), (words.number(value), style)))
    return Columns(parts, padding=(0, 2))


def why(operation: wire.Operation, decisions: Sequence[wire.Decision]) -> Iterator[RenderableType]:
    """Yield what the verdict stands on: evidence, every check, the last decision, the command to copy."""
    judged = operation.assessment
    if judged is None:
        yield Text("\nNothing has been judged yet: no metric so far.", style="dim")
    else:
        since = f", since step {judged.since_step:,}" if judged.since_step is not None else ""
        sure = "" if judged.confidence is None else f" (confidence {judged.confidence:.2f}{since})"
        yield Text(f"\nEvidence{sure}", style="bold")
        yield from _indented([evidence(item) for item in judged.evidence] or ["none"])
        yield Text("\nChecks", style="bold")
        yield Padding(_checks(judged.findings), (0, 0, 0, 2), expand=False)
    if decisions:
        yield Text("\nLast decision", style="bold")
        yield from _indented([decision_line(decisions[-1])])
    yield Text("\nNext", style="bold")
    yield from _indented(next_commands(operation))


def evidence(item: wire.Evidence) -> str:
    """Return one figure: `fall per step 0.0021 nats at step 1,180`."""
    at = f" at step {item.at_step:,}" if item.at_step is not None else ""
    return f"{item.label} {words.number(item.value)} {item.unit}".rstrip() + at


def decision_line(decision: wire.Decision) -> str:
    """Return a ledger entry: who did what and why, when it took effect, what followed."""
    args = " ".join(f"{key}={value}" for key, value in decision.args.items())
    reason = f': "{decision.reason}"' if decision.reason else ""
    text = f"{decision.principal.name} ({decision.principal.kind}) {decision.verb} {args}".rstrip() + reason
    if decision.status == "refused":
        return f"{text}, refused: {decision.detail}"
    if decision.at_step is not None:
        text += f", took effect at step {decision.at_step:,}"
    elif decision.status == "accepted":
        text += ", not yet applied"
    followed = decision.followed
    if followed and followed.before is not None and followed.after is not None:
        change = f"{words.number(followed.before)} → {words.number(followed.after)}"
        text += f"; {followed.metric} {change} in {words.plural(followed.evaluations, 'evaluation')}"
    return text


def next_commands(operation: wire.Operation, data: str = "DATA.csv") -> list[str]:
    """Return commands to copy: the recommended one first, then what is legal now; `data` is what to predict on."""
    key = words.short(operation.id)
    judged = operation.assessment
    found: list[str] = []
    if operation.waiting_for and operation.waiting_for.kind == "approval":
        found += [f'tutelage approve {key} --reason "..."', f'tutelage reject {key} --reason "..."']
    elif judged and (verb := VERBS.get(judged.recommendation.do)) and operation.commands.get(verb, "") is None:
        found.append(_command(judged.recommendation, key, judged.sentence))
    if operation.state is State.COMPLETED:
        kept = (operation.result or {}).get("modelPath", "") is not None
        has_model = kept and operation.service not in LEAVES_NO_MODEL
        found += [
            *([_use_command(operation, data)] if has_model else []),
            f"tutelage show {key} --why",
            f"tutelage artifacts {key} --get NAME",
        ]
    elif operation.state in ENDED or operation.state is State.PAUSED:
        found += [f"tutelage resume {key}"] if operation.commands.get(Verb.RESUME, "") is None else []
        found.append(f"tutelage logs {key}")
    else:
        found += [f"tutelage follow {key}", f'tutelage stop {key} --reason "..."']
    return list(dict.fromkeys(found))[:MAX_NEXT]


def _use_command(operation: wire.Operation, data: str) -> str:
    """Return how this operation's model is asked."""
    key = words.short(operation.id)
    if operation.service in WRITES_TEXT:
        return f'tutelage generate {key} --prompt "..."'
    if operation.service in ACTS:
        return f"tutelage act {key} --observation '[...]'"
    return f"tutelage predict {key} {data} -o predictions.csv"


def summary_line(operation: wire.Operation) -> Text:
    """Return the operation in one line: id, state, verdict, sentence."""
    sign, style, word, sentence = headline(operation)
    state = "" if word == str(operation.state) else f"{operation.state}  "
    return Text.assemble((words.short(operation.id), "dim"), f"  {state}", (f"{sign} {word}", style), f"  {sentence}")


def ending(
    operation: wire.Operation, artifacts: Sequence[wire.Artifact], *, data: str = "DATA.csv"
) -> Iterator[RenderableType]:
    """Yield the result's figures, the files with their sizes, and what to do next."""
    metrics = (operation.result or {}).get("metrics")
    if isinstance(metrics, Mapping) and metrics:
        yield Text("\nResult", style="bold")
        yield Padding(result_table(metrics), (0, 0, 0, 2), expand=False)
    yield from gate_lines(operation.result or {})
    if artifacts:
        yield Text("\nFiles", style="bold")
        yield Padding(files(artifacts), (0, 0, 0, 2), expand=False)
    if line := tracked(operation):
        yield Text("\nTracking", style="bold")
        yield from _indented([line])
    if operation.error and operation.error.log_tail:
        yield Text("\nLast lines of the log", style="bold")
        yield from _indented(operation.error.log_tail)
    yield Text("\nNext", style="bold")
    yield from _indented(next_commands(operation, data))


def tracked(operation: wire.Operation) -> str:
    """Return how the export stands: `logged: http://..., run 12ab, model 'churn' version 3 (@candidate)`."""
    told = (operation.result or {}).get("experiment")
    if not isinstance(told, Mapping) or told.get("status") in (None, "disabled"):
        return ""
    text = f"{told['status']}: {told.get('trackingUri')}"
    if told["status"] == "logged":
        text += f", run {told.get('runId')}"
        if told.get("modelVersion"):
            text += f", model {told.get('registeredModel')!r} version {told['modelVersion']}"
        if told.get("modelAlias"):
            text += f" (@{told['modelAlias']})"
    return text + (f" - {told['detail']}" if told.get("detail") else "")


def files(artifacts: Sequence[wire.Artifact]) -> Table:
    """Return the files with their sizes."""
    rows = table("file", "size", right=["size"])
    rows.show_header = False
    for artifact in artifacts:
        rows.add_row(artifact.name, words.size(artifact.bytes))
    return rows


def _checks(findings: Sequence[wire.Finding]) -> Table:
    rows = table("check", "outcome", "numbers", wide=["numbers"])
    rows.show_header = False
    for finding in findings:
        is_issue = finding.outcome is Outcome.ISSUE
        numbers = "  ".join(f"{key} {words.number(value)}" for key, value in finding.evidence.items())
        told = f"{numbers}  {finding.suggestion}" if is_issue and finding.suggestion else numbers
        rows.add_row(finding.code, Text(str(finding.outcome).replace("_", " "), style=RED if is_issue else INK), told)
    return rows


def result_table(metrics: Mapping[str, object]) -> Table:
    """Return a result's figures: one row a metric, one column a group such as `test`."""
    groups = {name: _texts(value) for name, value in metrics.items() if isinstance(value, Mapping)}
    if loose := _texts(metrics):
        groups[""] = loose
    rows = table("", *groups)
    for metric in dict.fromkeys(name for group in groups.values() for name in group):
        rows.add_row(metric, *(group.get(metric, "") for group in groups.values()))
    return rows


def _texts(group: Mapping[str, object]) -> dict[str, str]:
    """Return the numbers of a group as text; `x_mean` and `x_std` become one entry: mean ± deviation."""
    numbers = {key: float(v) for key, v in group.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    texts: dict[str, str] = {}
    for key, value in numbers.items():
        name = key.removesuffix("_mean")
        if name != key and f"{name}_std" in numbers:
            texts[name] = f"{words.number(value)} ± {words.spread(numbers[f'{name}_std'])}"
        elif not (key.endswith("_std") and f"{key.removesuffix('_std')}_mean" in numbers):
            texts[key] = words.number(value)
    return texts


def _indented(texts: Sequence[str]) -> Iterator[Padding]:
    for text in texts:
        yield Padding(Text(text), (0, 0, 0, 2), expand=False)


def _command(recommendation: wire.Recommendation, key: str, reason: str) -> str:
    """Return the command line that follows a recommendation."""
    args = recommendation.args
    quoted = reason.replace('"', "'")
    if recommendation.do is Advice.STOP:
        return f'tutelage stop {key} --reason "{quoted}"'
    if recommendation.do is Advice.TUNE:
        sets = " ".join(f"{name}={value}" for name, value in args.items())
        return f'tutelage tune {key} {sets} --reason "{quoted}"'
    return f'tutelage branch {key} --from {args.get("step", "best")} --reason "{quoted}"'
