"""Tokens a second and memory of pretraining, against nanoGPT's own model and loop in the same run."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.report import ROOT, Figure, Report
from benchmarks.support.nanogpt_peer import ABSENT, find_peer

LANES, SEGMENT = 2, 256
MEMORY_LANES = 8
"""8 x 256 = 2,048 tokens a step."""

MEMORY_STEPS = 4
BUDGETS = {"eager": 1.5, "compile": 1.9}
"""Ours -> how many times nanoGPT's tokens a second it is to reach."""

CPUS = min(2, os.cpu_count() or 1)


def run(*, quick: bool) -> Report:
    """Time all sides in one process, then measure the memory of each in its own; the quick way compiles nothing."""
    peer = find_peer()
    sides = [
        "eager",
        *(["compile"] if not quick and has_compiler() else []),
        *([str(peer)] if peer is not None else []),
    ]
    found = measured("time", 10 if quick else 40, LANES, *sides)
    times_s: dict[str, list[float]] = found["seconds"]
    rates = {key: LANES * SEGMENT / statistics.median(seconds) for key, seconds in times_s.items()}
    ours_mib = float(measured("memory", MEMORY_STEPS, MEMORY_LANES, "eager")["peak_memory_mib"])
    figures = [
        *(
            Figure(key=f"tokens_per_s_{key}", value=rate, unit="tokens/s")
            for key, rate in rates.items()
            if key in BUDGETS
        ),
        Figure(key="peak_memory_mib", value=ours_mib, unit="MiB"),
        Figure(key="parameters", value=found["parameters"]["eager"], unit=""),
    ]
    if peer is None:
        print(f"nanoGPT is absent: {ABSENT['absent']}")
        return Report(name="pretrain", figures=figures, peers={"nanogpt": ABSENT})
    peer_mib = float(measured("memory", MEMORY_STEPS, MEMORY_LANES, str(peer))["peak_memory_mib"])
    ratios = [
        *(
            Figure(key=f"tokens_ratio_{key}", value=ratio(times_s, key), unit="times", at_least=BUDGETS[key])
            for key in times_s
            if key in BUDGETS
        ),
        Figure(key="peak_memory_ratio", value=ours_mib / peer_mib, unit="times", at_most=0.5),
    ]
    theirs: dict[str, float | str] = {
        "tokens_per_s": rates["nanogpt"],
        "peak_memory_mib": peer_mib,
        "parameters": float(found["parameters"]["nanogpt"]),
    }
    return Report(name="pretrain", figures=[*ratios, *figures], peers={"nanogpt": theirs})


def has_compiler() -> bool:
    """Tell whether torch.compile can work here: on a CPU it needs a C++ compiler."""
    return any(shutil.which(name) for name in ("g++", "c++", "clang++"))


def measured(kind: str, count: int, lanes: int, *sides: str) -> dict[str, Any]:
    """Return what a process of its own printed; its threads wait without spinning, as a worker's do."""
    command = [sys.executable, "-m", "benchmarks.support.pretraining_sides", kind, str(count), str(lanes), str(SEGMENT)]
    threads = {"OMP_NUM_THREADS": str(CPUS), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [*command, *sides], cwd=ROOT, env={**os.environ, **threads}, stdout=subprocess.PIPE, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def ratio(times_s: dict[str, list[float]], key: str) -> float:
    """Return the median of nanoGPT's time over ours, round by round."""
    return statistics.median(theirs / ours for theirs, ours in zip(times_s["nanogpt"], times_s[key], strict=True))
