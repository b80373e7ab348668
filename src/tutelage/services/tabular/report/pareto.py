"""The Pareto front of a search on several objectives: trials that none beats in all of them; its picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tutelage.core.ports import Run
from tutelage.services.tabular.catalog import direction_of
from tutelage.services.tabular.search.state import COMPLETE, Trial

PICTURE = "pareto_front.png"
CLOUD, FRONT, CHOSEN = "#b8c0cc", "#1f5fa8", "#d9541e"


def pareto_front(trials: Sequence[Trial], objectives: Sequence[str]) -> list[Trial]:
    """Return the complete trials that no other one equals or beats in every objective and beats in one."""
    done = [trial for trial in trials if trial.state == COMPLETE]
    losses = {trial.number: _losses(trial, objectives) for trial in done}
    return [trial for trial in done if not any(_beats(other, losses[trial.number]) for other in losses.values())]


def _losses(trial: Trial, objectives: Sequence[str]) -> tuple[float, ...]:
    """Return the trial's values as numbers to minimize."""
    return tuple(trial.values[name] * (1 if direction_of(name) == "minimize" else -1) for name in objectives)


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def record_front(front: Sequence[Trial]) -> list[dict[str, Any]]:
    """For the result document."""
    return [{"trial": trial.number, "params": trial.params, "values": trial.values} for trial in front]


def write_front(run: Run, trials: Sequence[Trial], objectives: Sequence[str], chosen: Trial) -> str:
    """Draw the front as an artifact; return its name."""
    done = [trial for trial in trials if trial.state == COMPLETE]
    draw_front(run.artifact(PICTURE), done, pareto_front(trials, objectives), objectives, chosen=chosen)
    return PICTURE


def draw_front(
    path: Path, trials: Sequence[Trial], front: Sequence[Trial], objectives: Sequence[str], *, chosen: Trial
) -> None:
    """Write a panel for the first objective against each other one: all trials, the front joined, the chosen one."""
    from matplotlib.figure import Figure  # late: half a second that only the end needs

    others = objectives[1:]
    figure = Figure(figsize=(5.2 * len(others), 4.4), dpi=120, facecolor="white", layout="constrained")
    panels = figure.subplots(1, len(others), squeeze=False)[0]
    for axes, name in zip(panels, others, strict=True):
        _panel(axes, trials, front, (name, objectives[0]), chosen)
    panels[0].legend(frameon=False, fontsize=9)
    figure.suptitle(f"{len(front)} of {len(trials)} trials are beaten by none", fontsize=11)
    figure.savefig(path, bbox_inches="tight", pad_inches=0.15)


def _panel(axes: Any, trials: Sequence[Trial], front: Sequence[Trial], names: tuple[str, str], chosen: Trial) -> None:
    across, up = names
    ordered = sorted(front, key=lambda trial: trial.values[across])
    axes.scatter(*_places(trials, across, up), s=22, color=CLOUD, label="trials", zorder=2)
    places = _places(ordered, across, up)
    joined = len(ordered) > 1 and all(_is_step(one, two, names) for one, two in pairwise(ordered))
    axes.plot(*places, "o-" if joined else "o", ms=6, lw=1.2, color=FRONT, label="Pareto front", zorder=3)
    if chosen.values:
        ring: dict[str, Any] = {"facecolors": "none", "edgecolors": CHOSEN, "lw": 1.8, "zorder": 4}
        axes.scatter(*_places([chosen], across, up), s=130, label=f"kept: trial {chosen.number}", **ring)
    axes.set(xlabel=f"{across} ({direction_of(across)})", ylabel=f"{up} ({direction_of(up)})")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, lw=0.6)


def _is_step(one: Trial, two: Trial, names: tuple[str, str]) -> bool:
    """Tell whether neither trial beats the other in these two: with three objectives a line would mislead."""
    first, second = _losses(one, names), _losses(two, names)
    return first == second or not (_beats(first, second) or _beats(second, first))


def _places(trials: Sequence[Trial], across: str, up: str) -> tuple[list[float], list[float]]:
    return [trial.values[across] for trial in trials], [trial.values[up] for trial in trials]
