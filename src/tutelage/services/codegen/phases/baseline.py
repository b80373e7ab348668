"""`FINAL_BASELINE.txt` and `.json`: every figure of every phase, as measured, with machine and commit."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.core.atomic import write_json
from tutelage.core.layout import OperationFiles
from tutelage.services.codegen.config import Phase
from tutelage.services.codegen.phases.timing import anchor

JSON, TEXT = "FINAL_BASELINE.json", "FINAL_BASELINE.txt"


def write_baseline(artifacts: Path, figures: Mapping[Phase, Mapping[str, float]]) -> dict[str, Any]:
    """Write both files; return the document. The anchor is timed here, beside them."""
    timing = anchor()
    document: dict[str, Any] = {
        "figures": {phase: dict(found) for phase, found in figures.items()},
        "anchor_us": round(timing.median_s * 1e6, 3),
        "anchor_noise": round(timing.noise, 4),
        "machine": {"platform": platform.platform(), "processor": _processor(), "cpus": os.cpu_count()},
        "commit": _commit(artifacts.parent),
    }
    write_json(artifacts / JSON, document)
    (artifacts / TEXT).write_text("\n".join(_lines(document)) + "\n", encoding="utf-8")
    return document


def _lines(document: Mapping[str, Any]) -> list[str]:
    machine = document["machine"]
    lines = [
        "FINAL BASELINE",
        f"machine  {machine['processor']}, {machine['cpus']} CPUs, {machine['platform']}",
        f"commit   {document['commit'] or 'unknown'}",
        f"anchor   {document['anchor_us']} us, noise {document['anchor_noise']:.1%} (256 x 256 float32 product)",
    ]
    for phase, figures in document["figures"].items():
        lines += ["", phase]
        lines += [f"  {name:<36} {value:>14.6g}" for name, value in sorted(figures.items())]
    return lines


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit(root: Path) -> str | None:
    """Return the commit that the operation's record of its environment names."""
    try:
        record = json.loads(OperationFiles(root).environment.read_text())
    except (OSError, ValueError):
        return None
    git = record.get("git")
    return str(git["commit"]) if git else None
