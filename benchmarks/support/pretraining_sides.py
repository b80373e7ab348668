"""A process of its own for the pretraining benchmark: it prints JSON, the seconds of steps or the memory they took.

`time ROUNDS LANES SEGMENT SIDE...` takes steps of all sides in turn, so that they share the machine's moods;
`memory STEPS LANES SEGMENT SIDE` takes steps of one side alone. A side is `eager`, `compile` or nanoGPT's folder.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from benchmarks.support.nanogpt_peer import NanoGpt
from benchmarks.support.pretraining import Ours
from benchmarks.support.timing import cost_of

WARM_STEPS = 3
OURS = ("eager", "compile")


class Side(Protocol):
    """One of the trainings."""

    @property
    def num_parameters(self) -> int:
        """All parameters."""

    def step(self) -> None:
        """Take one optimizer step."""


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """Do what is asked and return the figures."""
    kind, count, lanes, segment_len = arguments[0], *map(int, arguments[1:4])
    with tempfile.TemporaryDirectory(prefix="tutelage-bench-") as name:
        if kind == "memory":
            return {"peak_memory_mib": peak_memory_mib(_side(arguments[4], Path(name), lanes, segment_len), count)}
        sides = {
            which if which in OURS else "nanogpt": _side(which, Path(name), lanes, segment_len)
            for which in arguments[4:]
        }
        parameters = {key: side.num_parameters for key, side in sides.items()}
        return {"seconds": timed(sides, rounds=count), "parameters": parameters}


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


def peak_memory_mib(side: Side, steps: int) -> float:
    """Return the most memory that this process has held after some steps."""
    for _ in range(steps):
        side.step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _side(which: str, folder: Path, lanes: int, segment_len: int) -> Side:
    if which in OURS:
        return Ours(folder / which, lanes=lanes, segment_len=segment_len, is_compiled=which == "compile")
    return NanoGpt(Path(which), lanes=lanes, segment_len=segment_len)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
