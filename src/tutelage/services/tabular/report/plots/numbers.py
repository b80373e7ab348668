"""What a regressor's errors look like: predicted over actual, residuals over predicted, their histogram."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.services.tabular.report.plots.style import BLUE, INK, PALE, QUIET, VERMILION, page, spelled


def draw_residuals(path: Path, data: Mapping[str, Any]) -> None:
    """Write the three views side by side; a dashed line is a perfect prediction."""
    name, points = data["target"], data["points"]
    dashes: Any = {"color": INK, "linewidth": 0.9, "linestyle": (0, (4, 3))}
    few = len(points["actual"]) <= 400
    dots: Any = {"s": 9 if few else 4, "color": BLUE, "alpha": 0.6 if few else 0.22, "linewidths": 0}
    with page(path, title="Residuals", about=data["about"], size=(11.0, 4.0), ncols=3) as (_, axes):
        actual, predicted, residual = (points[key] for key in ("actual", "predicted", "residual"))
        low, high = min(*actual, *predicted), max(*actual, *predicted)
        axes[0].plot([low, high], [low, high], **dashes)
        axes[0].scatter(actual, predicted, **dots)
        axes[0].set(title="predicted over actual", xlabel=f"actual {name}", ylabel=f"predicted {name}")
        axes[1].axhline(0, **dashes)
        axes[1].scatter(predicted, residual, **dots)
        axes[1].set(title="residual over predicted", xlabel=f"predicted {name}", ylabel="residual: actual - predicted")
        edges, counts = data["histogram"]["edges"], data["histogram"]["counts"]
        axes[2].bar(edges[:-1], counts, width=edges[1] - edges[0], align="edge", color=PALE, linewidth=0)
        axes[2].axvline(0, **dashes)
        axes[2].axvline(data["mean"], color=VERMILION, linewidth=1.2)
        told = f"mean {spelled(data['mean'])}, deviation {spelled(data['std'])}"
        axes[2].set(title=told, xlabel="residual, middle 99 %", ylabel="rows")
        axes[2].grid(axis="x", visible=False)
        for part in axes:
            _few_ticks(part)


def _few_ticks(axes: Any) -> None:
    from matplotlib.ticker import EngFormatter, MaxNLocator

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))
        if max(map(abs, axis.get_view_interval())) >= 10_000:
            axis.set_major_formatter(EngFormatter(sep=""))
    axes.tick_params(labelcolor=QUIET)
