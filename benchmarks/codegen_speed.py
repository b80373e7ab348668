"""How fast `codegen` tokenizes, attends and writes on one core, engine by engine, and its kernels on the adapter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.report import ROOT, Figure, Report

BUDGETS = {
    "tokenize_us_500": 20.0,
    "softmax_us_512": 4.0,
    "attention_ms_128": 15.0,
    "generate_ms_20_40": 60.0,
    "beam4_vs_greedy": 2.0,
}
"""Figure -> the most it may be."""

GOALS = {"draft_verify_speedup": 1.4}
UNITS = {"us": "us", "ms": "ms", "gflops": "GFLOP/s"}
ENGINES = ("torch_fp32", "torch_int8", "ct2_fp32", "ct2_int8", "onnx_fp32", "onnx_int8")


def run(*, quick: bool) -> Report:
    """Measure in processes of their own, with one thread: the CPU's engines, the peer, the adapter's kernels."""
    found = measured("cpu", quick=quick)
    figures = [
        *(_figure(key, value) for key, value in found["figures"].items()),
        *(_figure(f"generate_ms_{name}", found["engines"][name]) for name in ENGINES),
    ]
    peers: dict[str, Mapping[str, float | str]] = {"huggingface": found["huggingface"]}
    adapter = measured("adapter", quick=quick)
    if "absent" in adapter:
        peers["adapter"] = adapter
    else:
        figures += [_figure(key, value) for key, value in adapter["figures"].items()]
        peers["adapter"] = {"name": adapter["name"]}
    return Report(name="codegen_speed", figures=figures, peers=peers)


def measured(part: str, *, quick: bool) -> dict[str, Any]:
    """Return what a process of its own printed: libraries count their threads once, when they are imported."""
    command = [sys.executable, "-m", "benchmarks.support.codegen_sides", part, "quick" if quick else "full"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _figure(key: str, value: float) -> Figure:
    unit = next((UNITS[part] for part in key.split("_") if part in UNITS), "")
    return Figure(key=key, value=value, unit=unit, at_most=BUDGETS.get(key), at_least=GOALS.get(key))
