"""What a result document says of its gates and of an approval: `gates`, `gatesMet`, `approval`, of any service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from tutelage.interfaces.cli import words
from tutelage.interfaces.cli.terminal import GREEN, RED, say, table

if TYPE_CHECKING:
    from tutelage.core.wire import Operation


def unmet(result: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each gate that is not met, and for a step that was not approved."""
    found = [_sentence(gate) for gate in _gates(result) if not gate.get("met")]
    approval = result.get("approval")
    if isinstance(approval, Mapping) and approval.get("approved") is False:
        reason = approval.get("reason") or "no reason given"
        found.append(f"not approved before {approval.get('before')}: {reason}")
    return found


def say_unmet(operation: Operation) -> None:
    """Print what keeps a finished operation from passing."""
    for sentence in unmet(operation.result or {}):
        say(f"Not met: {sentence}" if not sentence.startswith("not approved") else sentence.capitalize())


def gate_lines(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield the gates with their values, and the answer to an approval."""
    gates, refused = _gates(result), [text for text in unmet(result) if text.startswith("not approved")]
    if gates or refused:
        yield Text("\nGates", style="bold")
    if gates:
        rows = table("gate", "rule", "value", "met", wide=["value"])
        for gate in gates:
            sign = Text("met", style=GREEN) if gate.get("met") else Text("not met", style=RED)
            rows.add_row(str(gate.get("name")), str(gate.get("rule")), _value(gate), sign)
        yield Padding(rows, (0, 0, 0, 2), expand=False)
    for text in refused:
        yield Padding(Text(text.capitalize()), (0, 0, 0, 2), expand=False)


def _gates(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = result.get("gates")
    return [gate for gate in given if isinstance(gate, Mapping)] if isinstance(given, list) else []


def _value(gate: Mapping[str, Any]) -> str:
    value = gate.get("value")
    return words.number(value) if isinstance(value, int | float) else str(gate.get("reason", "not measured"))


def _sentence(gate: Mapping[str, Any]) -> str:
    got = f"is {_value(gate)}" if isinstance(gate.get("value"), int | float) else f"has no value ({_value(gate)})"
    return f"{gate.get('name')} {got}, and must be {gate.get('rule')}"
