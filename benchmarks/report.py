"""What a benchmark answers: figures by key, held against their budgets, printed as a table and written as JSON."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number, and the budget it is held to, if any."""

    key: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def budget(self) -> str:
        """The budget in words, and whether it is met."""
        if self.at_least is not None:
            return f">= {self.at_least:g} {'met' if self.value >= self.at_least else 'MISSED'}"
        if self.at_most is not None:
            return f"<= {self.at_most:g} {'met' if self.value <= self.at_most else 'MISSED'}"
        return ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that one run of a benchmark measured; `peers` holds the other systems' own figures."""

    name: str
    figures: Sequence[Figure]
    peers: Mapping[str, Mapping[str, float | str]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return what `--json` writes."""
        return {
            "name": self.name,
            "figures": {figure.key: figure.value for figure in self.figures},
            "peers": {name: dict(peer) for name, peer in self.peers.items()},
            "machine": machine(),
            "commit": commit(),
        }


def show(report: Report) -> None:
    """Print a report as a table."""
    about = machine()
    print(f"{report.name}: {about['cpus']} CPUs, {about['memory_gib']} GiB, Python {about['python']}")
    for figure in report.figures:
        print(f"  {figure.key:<28} {_short(figure.value):>10} {figure.unit:<12} {figure.budget}".rstrip())
    for name, peer in report.peers.items():
        for key, value in peer.items():
            text = value if isinstance(value, str) else _short(value)
            print(f"  {f'{name}: {key}':<28} {text:>10}")


def machine() -> dict[str, int | str]:
    """Return the size of this machine and the versions that the figures depend on."""
    return {
        "cpus": os.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def commit() -> str | None:
    """Return the commit that was measured, marked where files differ from it; None outside a checkout."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
