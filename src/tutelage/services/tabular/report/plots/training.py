"""What happened on the way: the loss by round of the final fit, and the search's trials."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.services.tabular.report.plots.style import BLUE, INK, ORANGE, QUIET, VERMILION, page, spelled

SPAN = 1.5
"""The baseline's line is drawn where it lies within so many spans of the trials' scores; else it is told in words."""


def draw_learning_curve(path: Path, data: Mapping[str, Any]) -> None:
    """Write training and validation loss by round, with the round that was kept."""
    with page(path, title="Learning curve of the final fit", about=data["about"], size=(6.4, 4.2)) as (_, axes):
        if data["train"]:
            axes.plot(data["round"], data["train"], color=BLUE, label="training rows")
        axes.plot(data["round"], data["validation"], color=VERMILION, label="validation rows")
        if data["kept"] is not None:
            place = data["round"].index(data["kept"])
            loss = data["validation"][place]
            axes.axvline(data["kept"], color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)))
            label = f"kept: round {data['kept'] + 1}, {spelled(loss)}"
            axes.plot([data["kept"]], [loss], "o", color=INK, markersize=5, zorder=5, label=label)
        axes.set(xlabel=data["unit_of_round"], ylabel=data["loss"])
        axes.legend(loc="best")


def draw_history(path: Path, data: Mapping[str, Any]) -> None:
    """Write each trial's score, the best so far, and where trials were pruned or lost."""
    with page(path, title="Search history", about=data["about"], size=(6.4, 4.2)) as (_, axes):
        done = [item for item in data["trials"] if item["state"] == "complete"]
        numbers, values = [item["number"] for item in done], [item["value"] for item in done]
        stds = [item["std"] for item in done]
        axes.errorbar(numbers, values, yerr=stds, fmt="none", ecolor=BLUE, elinewidth=0.8, alpha=0.3)
        axes.plot(numbers, values, "o", color=BLUE, markersize=4, label="trial, ± deviation over its folds")
        best = [item for item in data["trials"] if item["best"] is not None]
        line = {"color": INK, "linewidth": 1.3, "drawstyle": "steps-post", "label": "best so far"}
        axes.plot([item["number"] for item in best], [item["best"] for item in best], **line)
        pruned = [item for item in data["trials"] if item["state"] == "pruned" and item["value"] is not None]
        if pruned:
            label = "pruned, mean of its folds"
            spots = {"marker": "x", "linestyle": "none", "color": ORANGE, "markersize": 5}
            axes.plot([item["number"] for item in pruned], [item["value"] for item in pruned], label=label, **spots)
        _lost(axes, [item["number"] for item in data["trials"] if item["state"] == "failed"])
        _baseline(axes, data, [item["value"] for item in (*done, *pruned)])
        _whole_ticks(axes)
        axes.set(xlabel="trial", ylabel=data["label"])
        axes.legend(loc="best")


def _lost(axes: Any, numbers: list[int]) -> None:
    if numbers:
        edge: Any = {"transform": axes.get_xaxis_transform(), "clip_on": False, "linestyle": "none"}
        axes.plot(numbers, [0.0] * len(numbers), marker="^", color=VERMILION, markersize=6, label="lost", **edge)


def _baseline(axes: Any, data: Mapping[str, Any], values: list[float]) -> None:
    baseline, label = data["baseline"], f"trivial baseline {spelled(data['baseline'])}"
    span = max(values) - min(values) if values else 0.0
    if values and min(values) - SPAN * span <= baseline <= max(values) + SPAN * span:
        axes.axhline(baseline, color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)), label=label)
    else:
        axes.plot([], [], " ", label=f"{label}, beyond the axis")


def _whole_ticks(axes: Any) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    if max(map(abs, axes.yaxis.get_view_interval())) >= 1000:
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
