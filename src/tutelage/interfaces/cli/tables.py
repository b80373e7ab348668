"""Answers as tables: curves, comparisons, the ledger, lineage, environments, services, hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from tutelage.core import wire
from tutelage.interfaces.cli import words
from tutelage.interfaces.cli.show import best_words, decision_line
from tutelage.interfaces.cli.terminal import style_of, table

MAX_COLUMNS = 6
MAX_SCOPES = 12
MAX_VALUE = 60


def history(answer: wire.MetricHistory, scopes: Sequence[str]) -> Iterator[RenderableType]:
    """Yield the curves as a table, one row a step; without any, the scopes that have some."""
    if not answer.steps:
        named = [scope or '""' for scope in scopes[:MAX_SCOPES]]
        yield Text(f"No metric in scope {answer.scope!r}. Scopes: {', '.join(named) or 'none yet'}")
        return
    keys = answer.keys[:MAX_COLUMNS]
    rows = table(answer.unit, *keys, right=[answer.unit, *keys])
    for index, step in enumerate(answer.steps):
        values = [answer.values[key][index] for key in keys]
        rows.add_row(f"{step:,}", *(_value(value) for value in values))
    yield rows
    left_out = answer.keys[MAX_COLUMNS:]
    if left_out:
        yield Text(f"Not shown: {', '.join(left_out)}. Choose with --keys.", style="dim")
    if answer.truncated:
        total = max(answer.total.values(), default=0)
        yield Text(f"{len(answer.steps)} of {total:,} rows; minima and maxima are kept. More: --points.", style="dim")


def comparison(answer: wire.Comparison) -> Iterator[RenderableType]:
    """Yield the sentence, the figures side by side, and the settings that differ."""
    yield Text(answer.sentence, style="bold")
    yield Text("")
    rows = table("id", "name", "state", "best", "at", "time", right=["best", "at", "time"])
    for side in answer.operations:
        best = side.best
        rows.add_row(
            words.short(side.id),
            side.name,
            str(side.state),
            words.number(best.value) if best else "",
            f"{best.step:,}" if best else "",
            words.duration(side.wall_s) if side.wall_s is not None else "",
        )
    yield rows
    yield Text("")
    if answer.config_diff:
        yield _settings(answer)
    yield Text(f"{words.plural(answer.num_equal_settings, 'setting')} equal.", style="dim")


def ledger(entries: Sequence[wire.Decision]) -> Iterator[RenderableType]:
    """Yield the decisions, newest last."""
    if not entries:
        yield Text("No decision has been taken yet.")
        return
    rows = table("age", "operation", "decision", right=["age"], wide=["decision"])
    rows.expand = True
    for entry in entries:
        rows.add_row(words.age(words.since(entry.at)), words.short(entry.operation), decision_line(entry))
    yield rows


def ledger_state(entries: int, first_broken: int | None) -> Text:
    """Return whether the ledger's chain holds."""
    counted = f"{entries:,} {'entry' if entries == 1 else 'entries'}"
    if first_broken is None:
        return Text(f"{counted}, chain intact")
    return Text(f"{counted}, chain broken at entry {first_broken:,}", style="red")


def lineage(answer: wire.Lineage) -> Iterator[RenderableType]:
    """Yield the family as trees, the operation asked for in bold."""
    nodes = {node.id: node for node in answer.nodes}
    children: dict[str, list[wire.LineageEdge]] = {}
    for edge in answer.edges:
        children.setdefault(edge.parent, []).append(edge)
    is_child = {edge.child for edge in answer.edges}

    def grow(tree: Tree, node_id: str) -> None:
        for edge in children.get(node_id, []):
            if edge.child in nodes:
                at = f" at step {edge.at:,}" if edge.at is not None else ""
                grow(tree.add(_node(nodes[edge.child], answer.id, f"{edge.kind}{at}: ")), edge.child)

    for node_id in nodes:
        if node_id not in is_child:
            tree = Tree(_node(nodes[node_id], answer.id, ""), guide_style="dim")
            grow(tree, node_id)
            yield tree


def environment(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield an environment: one line each; long lists and texts as their size."""
    rows = table("what", "value", wide=["value"])
    rows.show_header = False
    for key, value in found.items():
        if isinstance(value, Mapping) and len(value) > MAX_SCOPES:
            rows.add_row(key, f"{len(value)} entries (--json lists them)")
        elif isinstance(value, Mapping):
            rows.add_row(key, ", ".join(f"{name} {item}" for name, item in value.items()))
        elif isinstance(value, str) and "\n" in value:
            rows.add_row(key, f"{len(value.splitlines()):,} lines (--json prints them)")
        elif value is not None:
            rows.add_row(key, " ".join(map(str, value)) if isinstance(value, list) else str(value))
    yield rows


def services(answer: wire.ServiceList) -> Iterator[RenderableType]:
    """Yield the services with what they train."""
    rows = table("service", "about", wide=["about"])
    for service in answer.items:
        about = service.about if service.available else f"{service.about} (needs {service.missing})"
        rows.add_row(Text(service.name, style="bold"), about)
    yield rows
    yield Text("\nMore: tutelage services NAME; a spec to start from: tutelage init NAME", style="dim")


def service(info: wire.ServiceInfo) -> Iterator[RenderableType]:
    """Yield one service: settings, presets, metrics, what may be tuned."""
    yield Text.assemble((info.name, "bold"), f"  {info.about}")
    if not info.available:
        yield Text(f"Not available here: {info.missing}", style="red")
    yield Text(f"step: {info.unit}; supports: {', '.join(info.supports) or 'nothing optional'}", style="dim")
    properties = (info.config_schema or {}).get("properties", {})
    required = set((info.config_schema or {}).get("required", []))
    if properties:
        yield from _section(
            "Settings",
            _rows(
                (name, _default(item, name in required), str(item.get("description", "")))
                for name, item in properties.items()
            ),
        )
    if info.presets:
        yield from _section("Presets", _rows((name, "", _compact(preset)) for name, preset in info.presets.items()))
    if info.metrics:
        yield from _section("Metrics", _rows((m.name, _direction(m), m.about) for m in info.metrics))
    if info.tunables:
        yield from _section(
            "Tunable while it runs",
            _rows((t.name, f"{words.number(t.low)} to {words.number(t.high)}", t.about) for t in info.tunables),
        )


def hosts(items: Sequence[wire.HostInfo]) -> Table:
    """Return the machines with what is free."""
    rows = table(
        "host",
        "cpus free",
        "gpus free",
        "memory free",
        "running",
        "queued",
        "link",
        right=["cpus free", "gpus free", "memory free", "running", "queued"],
    )
    for host in items:
        rows.add_row(host.name, *(_slots(host) if host.reachable else ["-"] * 5), host.detail or "answers")
    return rows


def _slots(host: wire.HostInfo) -> list[str]:
    return [
        f"{host.cpus_free} of {host.cpus}",
        f"{host.gpus_free} of {host.gpus}",
        f"{host.memory_free_gib or 0:.1f} of {host.memory_gib or 0:.1f} GiB",
        str(host.running),
        str(host.queued),
    ]


def _settings(answer: wire.Comparison) -> Table:
    ids = [side.id for side in answer.operations]
    shown = [words.short(name) for name in ids]
    rows = table("setting", *shown, wide=shown)
    for setting, values in answer.config_diff.items():
        rows.add_row(setting, *(_compact(values.get(name)) for name in ids))
    return rows


def _node(node: wire.LineageNode, asked: str, how: str) -> Text:
    best = f"  best {best_words(node.best)}" if node.best else ""
    style = "bold" if node.id == asked else ""
    return Text.assemble(
        (how, "dim"), (words.short(node.id), "dim"), " ", (node.name or node.service, style), f"  {node.state}{best}"
    )


def _section(name: str, body: RenderableType) -> Iterator[RenderableType]:
    yield Text(f"\n{name}", style="bold")
    yield body


def _rows(items: Any) -> Table:
    rows = table("name", "value", "about", wide=["about"])
    rows.show_header = False
    rows.expand = True
    rows.columns[1].max_width = 24
    for name, value, about in items:
        rows.add_row(f"  {name}", Text(value, style="dim"), about)
    return rows


def _default(item: Mapping[str, Any], is_required: bool) -> str:
    if is_required:
        return "required"
    return _compact(item["default"]) if item.get("default") is not None else ""


def _direction(metric: wire.MetricInfo) -> str:
    way = {"minimize": "lower is better", "maximize": "higher is better"}.get(metric.direction or "", "")
    return f"{metric.unit}, {way}" if metric.unit and way else metric.unit or way


def _compact(value: object) -> str:
    import json

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def _value(value: float | None) -> Text:
    return Text("") if value is None else Text(words.number(value), style=style_of(value))
