"""Curves of a classifier: receiver operating characteristic, precision over recall, reliability."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.services.tabular.report.plots.style import BLUE, CYCLE, FAINT, INK, PALE, QUIET, page, short

MAX_LINES = 6
"""With more classes, their lines would be a tangle: they stay in the background, the mean in front."""


def draw_roc(path: Path, data: Mapping[str, Any]) -> None:
    """Write the ROC curves; chance is the diagonal."""
    with page(path, title="ROC curve", about=data["about"], size=(5.2, 5.2)) as (_, axes):
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)), label="chance, AUC 0.5")
        for line in _lines(data["classes"], "auc"):
            curve = line.pop("curve")
            axes.plot(curve["false_positive_rate"], curve["true_positive_rate"], **line)
        mean = data.get("macro")
        if mean:
            label = f"mean of {len(data['classes'])} classes, AUC {mean['auc']:.4f}"
            axes.plot(mean["false_positive_rate"], mean["true_positive_rate"], color=INK, linewidth=2.2, label=label)
        _mark(axes, data, "false_positive_rate", "true_positive_rate")
        axes.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        axes.legend(loc="lower right")


def draw_precision_recall(path: Path, data: Mapping[str, Any]) -> None:
    """Write precision over recall; with one curve, its class's share of the rows is what chance reaches."""
    with page(path, title="Precision and recall", about=data["about"], size=(5.2, 5.2)) as (_, axes):
        curves = data["classes"]
        if len(curves) == 1:
            share = next(iter(curves.values()))["share"]
            axes.axhline(share, color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)), label=f"chance, {share:.3f}")
        for line in _lines(curves, "average_precision"):
            curve = line.pop("curve")
            axes.plot(curve["recall"], curve["precision"], drawstyle="steps-post", **line)
        mean = data.get("macro")
        if mean:
            axes.plot([], [], " ", label=f"mean of {len(curves)} classes, AP {mean['average_precision']:.4f}")
        _mark(axes, data, "recall", "precision")
        axes.set(xlabel="recall", ylabel="precision", xlim=(-0.01, 1.01), ylim=(0, 1.02), aspect="equal")
        axes.legend(loc="lower left")


def draw_calibration(path: Path, data: Mapping[str, Any]) -> None:
    """Write the reliability diagram with its 95 % intervals, above the histogram of what was predicted."""
    heights: dict[str, Any] = {"nrows": 2, "sharex": True, "height_ratios": [3.4, 1]}
    with page(path, title="Calibration", about=data["about"], size=(5.2, 5.8), **heights) as (_, (axes, below)):
        bins = data["bins"]
        said, seen = [item["predicted"] for item in bins], [item["observed"] for item in bins]
        errors = [[item["observed"] - item["low"] for item in bins], [item["high"] - item["observed"] for item in bins]]
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)), label="perfect")
        bars = {"fmt": "o", "markersize": 4, "elinewidth": 1, "capsize": 0, "color": BLUE}
        axes.errorbar(said, seen, yerr=errors, label="bins with 95 % intervals", **bars)
        axes.plot(said, seen, color=BLUE, linewidth=1)
        axes.set(ylabel=data["observed"], ylim=(-0.02, 1.02))
        error = f"expected calibration error {data['expected_error']:.4f}"
        axes.legend(loc="upper left", title=error, alignment="left")
        counts, edges = data["histogram"]["counts"], data["histogram"]["edges"]
        below.bar(edges[:-1], counts, width=edges[1] - edges[0], align="edge", color=PALE, linewidth=0)
        below.set(xlabel=data["predicted"], ylabel="rows", xlim=(-0.01, 1.01))
        below.grid(axis="x", visible=False)


def _lines(curves: Mapping[str, Any], area: str) -> list[dict[str, Any]]:
    """Return how each class's curve is drawn: by colour and name while they are few, in the background else."""
    letters = {"auc": "AUC", "average_precision": "AP"}[area]
    lines: list[dict[str, Any]] = []
    for place, (name, curve) in enumerate(curves.items()):
        if len(curves) <= MAX_LINES:
            label = f"{short(name)}, {letters} {curve[area]:.4f}"
            lines.append({"curve": curve, "color": CYCLE[place % len(CYCLE)], "label": label})
        else:
            extra = {"label": f"each of {len(curves)} classes"} if place == 0 else {}
            lines.append({"curve": curve, "color": BLUE, "alpha": 0.3, "linewidth": 0.9, **extra})
    return lines


def _mark(axes: Any, data: Mapping[str, Any], across: str, up: str) -> None:
    """Mark where the model decides, where that is one point."""
    point = data.get("decision")
    if point:
        label = f"at threshold {point['threshold']:.3g}"
        spot = {"color": INK, "markersize": 6, "markeredgecolor": "white", "markeredgewidth": 1.2, "zorder": 5}
        axes.plot([point[across]], [point[up]], "o", label=label, **spot)
        axes.axvline(point[across], color=FAINT, linewidth=1, zorder=0)
