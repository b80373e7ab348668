"""The table of several models: what each one has or lacks, and what that gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tutelage.services.cognate.config import CognateConfig

COLUMNS = (
    ("val_ce", "val_ce"),
    ("bits per byte", "val_bits_per_byte"),
    ("exact match", "exact_match"),
    ("ponder steps", "val_ponder_steps"),
    ("memory reads", "val_memory_reads"),
    ("memory writes", "val_memory_writes"),
)


@dataclass(frozen=True, kw_only=True)
class Table:
    """The same figures twice: as rows for programs, as Markdown for readers."""

    rows: Sequence[Mapping[str, Any]]
    markdown: str


def ablation_table(config: CognateConfig, results: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the table of the models that ran; a failed one has its error in place of figures."""
    rows = [_row(name, config.variants.get(name, {}), result) for name, result in results.items()]
    heads = ["model", "differs in", "parameters", *(head for head, _ in COLUMNS), "best step", "seconds"]
    lines = [_line(heads), _line(["---"] * len(heads)), *(_line(_cells(row)) for row in rows)]
    return Table(rows=rows, markdown="\n".join(lines) + "\n")


def _row(name: str, changes: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"model": name, "differs_in": dict(changes), "success": result["success"]}
    if not result["success"]:
        return {**row, "error": result["error"]}
    figures = {key: result["validation"].get(key) for _, key in COLUMNS}
    return {
        **row,
        "parameters": result["parameter_count"],
        **figures,
        "best_step": result["best_step"],
        "training_time": result["training_time"],
    }


def _cells(row: Mapping[str, Any]) -> list[str]:
    changes = ", ".join(f"{key}={value}" for key, value in row["differs_in"].items()) or "-"
    if not row["success"]:
        return [row["model"], changes, f"failed: {row['error']['message']}", *[""] * (len(COLUMNS) + 2)]
    figures = [_number(row[key]) for _, key in COLUMNS]
    return [
        row["model"],
        changes,
        f"{row['parameters']:,}",
        *figures,
        str(row["best_step"]),
        f"{row['training_time']:.0f}",
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |"
