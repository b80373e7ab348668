"""Tokens a second and memory of pretraining, against nanoGPT's own model and loop in the same run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

import torch

from benchmarks.report import ROOT, Figure, Report
from benchmarks.support.nanogpt_peer import ABSENT, NanoGpt, find_peer
from benchmarks.support.pretraining import Ours
from benchmarks.support.timing import cost_of

LANES, SEGMENT = 2, 256
MEMORY_LANES = 8
"""8 x 256 = 2,048 tokens a step."""

WARM_STEPS = 3


class Side(Protocol):
    """One of the trainings that are timed."""

    @property
    def num_parameters(self) -> int:
        """All parameters."""

    def step(self) -> None:
        """Take one optimizer step."""


def run(*, quick: bool) -> Report:
    """Take steps of all sides in turn, so that they share the machine's moods; then measure memory, each by itself."""
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    peer = find_peer()
    with tempfile.TemporaryDirectory(prefix="tutelage-bench-") as name:
        sides: dict[str, Side] = {
            "eager": Ours(Path(name) / "eager", lanes=LANES, segment_len=SEGMENT),
            "compile": Ours(Path(name) / "compile", lanes=LANES, segment_len=SEGMENT, is_compiled=True),
        }
        if peer is not None:
            sides["nanogpt"] = NanoGpt(peer, lanes=LANES, segment_len=SEGMENT)
        times_s = timed(sides, rounds=10 if quick else 40)
        parameters = {key: side.num_parameters for key, side in sides.items()}
    rates = {key: LANES * SEGMENT / statistics.median(found) for key, found in times_s.items()}
    ours_mib = peak_memory_mib("ours")
    figures = [
        Figure(key="tokens_per_s_eager", value=rates["eager"], unit="tokens/s"),
        Figure(key="tokens_per_s_compile", value=rates["compile"], unit="tokens/s"),
        Figure(key="peak_memory_mib", value=ours_mib, unit="MiB"),
        Figure(key="parameters", value=parameters["eager"], unit=""),
    ]
    if peer is None:
        print(f"nanoGPT is absent: {ABSENT['absent']}")
        return Report(name="pretrain", figures=figures, peers={"nanogpt": ABSENT})
    peer_mib = peak_memory_mib(str(peer))
    ratios = [
        Figure(key="tokens_ratio_eager", value=ratio(times_s, "eager"), unit="times", at_least=1.5),
        Figure(key="tokens_ratio_compile", value=ratio(times_s, "compile"), unit="times", at_least=1.9),
        Figure(key="peak_memory_ratio", value=ours_mib / peer_mib, unit="times", at_most=0.5),
    ]
    theirs: dict[str, float | str] = {
        "tokens_per_s": rates["nanogpt"],
        "peak_memory_mib": peer_mib,
        "parameters": float(parameters["nanogpt"]),
    }
    return Report(name="pretrain", figures=[*ratios, *figures], peers={"nanogpt": theirs})


def timed(sides: dict[str, Side], *, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each step of each side, taken in turn after a few that do not count."""
    for side in sides.values():
        for _ in range(WARM_STEPS):
            side.step()
    found: dict[str, list[float]] = {key: [] for key in sides}
    for _ in range(rounds):
        for key, side in sides.items():
            found[key].append(cost_of(side.step).wall_s)
    return found


def ratio(times_s: dict[str, list[float]], key: str) -> float:
    """Return the median of nanoGPT's time over ours, round by round."""
    return statistics.median(theirs / ours for theirs, ours in zip(times_s["nanogpt"], times_s[key], strict=True))


def peak_memory_mib(which: str) -> float:
    """Return the most memory that a process of its own held in a few steps of 2,048 tokens."""
    command = [sys.executable, "-m", "benchmarks.support.pretraining", which, str(MEMORY_LANES), str(SEGMENT), "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])
