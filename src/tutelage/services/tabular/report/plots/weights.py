"""What mattered: the columns to the model, the parameters to the search."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.services.tabular.report.plots.style import GREY, INK, PALE, QUIET, page, short

MAX_BARS = 20


def draw_feature_importance(path: Path, data: Mapping[str, Any]) -> None:
    """Write the columns' permutation importance with intervals beside the model's own weights, where it has them."""
    ranked = data["columns"][:MAX_BARS]
    places = list(range(len(ranked)))
    size = (9.4 if data["own"] else 6.4, 1.9 + 0.24 * len(ranked))
    title, both = "Importance of the columns", 2 if data["own"] else 1
    columns: dict[str, Any] = {"ncols": both, "sharey": True, "squeeze": False}
    with page(path, title=title, about=data["about"], size=size, **columns) as (_, grid):
        axes = grid[0][0]
        axes.axvline(0, color=QUIET, linewidth=0.9)
        means = [item["mean"] for item in ranked]
        axes.barh(places, means, color=PALE, height=0.66, linewidth=0)
        axes.hlines(places, [item["low"] for item in ranked], [item["high"] for item in ranked], color=INK, linewidth=1)
        axes.set(xlabel=data["label"], title="loss when shuffled, with 95 % interval")
        axes.set_yticks(places, [short(item["name"], width=28) for item in ranked], color=INK)
        axes.margins(y=0.02)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        if data["own"]:
            own = grid[0][1]
            own.barh(places, [item["own"] for item in ranked], color=GREY, height=0.66, linewidth=0)
            own.set(xlabel="share of the whole", title=f"the model's own: {data['own']}")
            own.grid(axis="y", visible=False)


def draw_param_importance(path: Path, data: Mapping[str, Any]) -> None:
    """Write each parameter's share of the variance of the trials' scores."""
    ranked = sorted(data["importance"].items(), key=lambda item: item[1], reverse=True)[:MAX_BARS]
    places = list(range(len(ranked)))
    size = (6.4, 1.7 + 0.27 * len(ranked))
    with page(path, title="Importance of the parameters", about=data["about"], size=size) as (_, axes):
        values = [value for _, value in ranked]
        axes.barh(places, values, color=PALE, height=0.66, linewidth=0)
        for place, value in zip(places, values, strict=True):
            axes.text(value + 0.008, place, f"{value:.2f}", va="center", color=QUIET, fontsize=8)
        axes.set_yticks(places, [short(name, width=28) for name, _ in ranked], color=INK)
        axes.set(xlabel="share of the variance of the trials' scores (fANOVA)", xlim=(0, max(values) * 1.1 or 1))
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
