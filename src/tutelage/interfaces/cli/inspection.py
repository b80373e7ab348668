"""What a service saw in data, in plain words; figures that are absent are left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tutelage.interfaces.cli import words
from tutelage.interfaces.cli.terminal import table

MAX_CLASSES = 6
MAX_COLUMNS = 40


def lines(data: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield rows, kinds, target, quality, suspects and the suggested job."""
    yield from facts(data)
    if data.get("columnKinds"):
        yield Text("")
        yield _columns(data["columnKinds"])
    if data.get("suggestedJob"):
        yield Text("\nA job to start from", style="bold")
        yield Text(json.dumps(data["suggestedJob"], indent=2, ensure_ascii=False))


def facts(data: Mapping[str, Any]) -> Iterator[Text]:
    """Yield the data in a few sentences."""
    kinds = Counter(column["kind"] for column in data.get("columnKinds", []))
    named = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    yield Text(f"{data.get('rows', 0):,} rows, {words.plural(sum(kinds.values()), 'column')} to learn from: {named}")
    target = data.get("target")
    if target:
        yield Text(f"To predict: {target['name']}, {target['task']}: {_balance(target)}")
    if data.get("duplicateRows"):
        yield Text(f"{words.plural(data['duplicateRows'], 'duplicate row')}")
    quality = data.get("quality")
    if quality:
        reasons = "; ".join(map(str, quality.get("reasons", [])))
        yield Text(f"Quality {quality['score']} of 100" + (f": {reasons}" if reasons else ""))
    for suspect in data.get("leakSuspects", []):
        yield Text(f"Leak suspect: {', '.join(suspect['columns'])} {suspect['why']}", style="yellow")


def _balance(target: Mapping[str, Any]) -> str:
    classes = target.get("classes")
    if not classes:
        return f"{words.number(target['min'])} to {words.number(target['max'])}, mean {words.number(target['mean'])}"
    total = sum(classes.values())
    shares = [f"{name} in {count:,} rows ({count / total:.0%})".replace("%", " %") for name, count in classes.items()]
    more = f" and {len(shares) - MAX_CLASSES} more" if len(shares) > MAX_CLASSES else ""
    return ", ".join(shares[:MAX_CLASSES]) + more


def _columns(columns: list[Mapping[str, Any]]) -> Table:
    rows = table("column", "kind", "unique", "missing", "note", right=["unique", "missing"], wide=["note"])
    for column in columns[:MAX_COLUMNS]:
        rows.add_row(
            str(column["name"]),
            str(column["kind"]),
            f"{column['unique']:,}",
            f"{column['missing']:,}" if column["missing"] else "",
            column.get("note") or ("" if column.get("used", True) else "not used"),
        )
    if len(columns) > MAX_COLUMNS:
        rows.add_row(f"and {len(columns) - MAX_COLUMNS} more", "", "", "", "")
    return rows
